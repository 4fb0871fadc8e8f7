"""Asking witnesses to cosign (c2sp.org/tlog-witness), as the log that wants to be believed.

Each is told what it has cosigned before by itself (409), and shown that the log grew from there.
Nothing that a witness answers is believed unverified, and none can hold up another.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from audit.checkpoint import claimed_checkpoint
from audit.errors import AuditError
from audit.note import open_note
from audit.numerals import read_numeral
from audit.policy import Policy, Witnessing
from audit.witness import AddCheckpoint
from gateway.errors import ServiceFailed

SECONDS = 10
MOST_ANSWER = 16_384

Prove = Callable[[int, int], list[bytes]]
"""The consistency proof between two sizes of the log."""


class Panel:
    """Every witness of a policy that has an address."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._asked = [each for each in policy.witnesses if each.url is not None]

    def cosigned(self, note: bytes, prove: Prove) -> tuple[bytes, list[str]]:
        """The note with every cosignature that was to be had; and who gave none, with the reason.

        Raises ServiceFailed where they are not enough for the policy.
        """
        with ThreadPoolExecutor(max(len(self._asked), 1)) as threads:
            answers = list(threads.map(lambda each: _asked(each, note, prove), self._asked))
        lines = "".join(line for line, _ in answers)
        missing = [reason for _, reason in answers if reason]
        whole = note + lines.encode()
        if not self.policy.is_enough(each.name for each in self.policy.seen(whole)):
            raise ServiceFailed(
                "witnesses-missing",
                "Too few witnesses have cosigned the log's newest checkpoint.",
                "Ask the witnesses; submissions go on, receipts wait.",
                detail="; ".join(missing),
            )
        return whole, missing


def _asked(witness: Witnessing, note: bytes, prove: Prove) -> tuple[str, str]:
    """The cosignature line of a witness, or why there is none."""
    size, old = claimed_checkpoint(note).size, 0
    for _ in range(2):
        proof = tuple(prove(old, size)) if 0 < old < size else ()
        body = AddCheckpoint(old, proof, note).to_bytes()
        try:
            status, answer = _posted(f"{witness.url}/add-checkpoint", body)
        except requests.RequestException as error:
            return "", f"{witness.name}: {type(error).__name__}"
        if status != requests.codes.conflict:
            break
        told = read_numeral(answer.strip())
        if told is None or told > size or told == old:
            return "", f"{witness.name}: has cosigned another log of this name"
        old = told
    if status != requests.codes.ok:
        return "", f"{witness.name}: status {status}"
    return _verified(witness, note, answer)


def _verified(witness: Witnessing, note: bytes, answer: str) -> tuple[str, str]:
    for line in answer.splitlines(keepends=True):
        try:
            open_note(note + line.encode(), [witness.key])
        except AuditError:
            continue
        return line, ""
    return "", f"{witness.name}: its answer does not verify"


def _posted(url: str, body: bytes) -> tuple[int, str]:
    # A redirect could lead anywhere.
    with requests.post(
        url, data=body, timeout=SECONDS, allow_redirects=False, stream=True
    ) as answer:
        data = answer.raw.read(MOST_ANSWER, decode_content=True)
        return answer.status_code, data.decode("utf-8", errors="replace")
