"""Every case of the hostile corpus ends as it declares, in memory and out of it."""

from functools import partial
from hashlib import sha256
from io import BytesIO

import pytest

from crypto import MessageRefused, Scratch, open_message
from tests.crypto.corpus import Case, key, read_corpus, sender

NOW, CASES = read_corpus()
GATEWAY = key("gateway")


def outcome(case: Case, *, memory: int) -> str:
    """The hash of the plaintext, or the code of the refusal."""
    try:
        opened = open_message(
            BytesIO(case.data(GATEWAY.certificates[0])),
            keyring=GATEWAY,
            senders=[sender(case.sender)],
            now=NOW,
            make_scratch=partial(Scratch, memory=memory),
        )
    except MessageRefused as refused:
        return refused.code
    with opened.plaintext as plaintext:
        return sha256(plaintext.read()).hexdigest()


@pytest.mark.parametrize("memory", [0, 8 << 20], ids=["file", "memory"])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_declared_outcome(case: Case, memory: int) -> None:
    expected = case.outcome.get("refused") or [case.outcome["accepted"]]
    assert outcome(case, memory=memory) in expected


def test_a_bomb_is_left_long_before_its_end() -> None:
    (case,) = [case for case in CASES if case.message == "recipe:bomb"]
    made: list[Scratch] = []

    def make() -> Scratch:
        made.append(Scratch(memory=0))
        return made[-1]

    message = case.data(GATEWAY.certificates[0])
    with pytest.raises(MessageRefused):
        open_message(
            BytesIO(message), keyring=GATEWAY, senders=[sender("good")], now=NOW, make_scratch=make
        )
    (scratch,) = made
    assert scratch.closed
    assert scratch.size <= 201 * len(message) < 1 << 28


def test_the_corpus_is_whole() -> None:
    """What the corpus promises to hold, so that a case cannot get lost unnoticed."""
    accepted = [case for case in CASES if "accepted" in case.outcome]
    codes = {code for case in CASES for code in case.outcome.get("refused", ())}
    assert len(accepted) > 25
    assert len(CASES) > 250
    assert {
        "bad-signature",
        "bomb",
        "malformed",
        "mdc-failed",
        "meant-for-another",
        "no-integrity",
        "not-encrypted",
        "not-signed",
        "signature-future",
        "signer-expired",
        "signer-revoked",
        "trailing-data",
        "truncated",
        "unknown-signer",
        "unsupported",
        "weak-cipher",
        "weak-hash",
        "wrong-recipient",
    } <= codes
