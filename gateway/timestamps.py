"""Asking timestamp authorities about a note (RFC 3161 section 3.4), and nothing else.

They are strangers, mostly over plain HTTP. So an answer is bounded in size and time, led nowhere
else, and held to the question that it answers; whether it is signed by who it should be is for
those who pin the authority's root. One that is away, or does not end, holds up nobody.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Thread
from time import monotonic
from urllib.parse import urlsplit

import requests

from audit.errors import TimestampRefused
from audit.timestamp import MOST_TOKEN_BYTES, Question
from gateway.errors import SettingsRefused

SECONDS = 10
AUTHORITY_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Authority:
    """Who is asked, and where; the name is ours, and stands in paths."""

    name: str
    url: str


def read_authorities(text: str) -> tuple[Authority, ...]:
    """The authorities in a file, `name url` a line, `#` before a comment; raises SettingsRefused.

    The file is that of TIMESTAMP_AUTHORITIES_FILE.
    """
    lines = [line.partition("#")[0].split() for line in text.splitlines()]
    found = [_authority(words) for words in lines if words]
    if not found or len({each.name for each in found}) < len(found):
        raise _refused("it must name authorities, each once")
    return tuple(found)


def _authority(words: list[str]) -> Authority:
    if len(words) != 2 or not AUTHORITY_NAME.fullmatch(words[0]):
        raise _refused(f"not a name and an address: {' '.join(words)[:80]}")
    parts = urlsplit(words[1])
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _refused(f"{words[0]} has no http:// or https:// address")
    return Authority(*words)


def _refused(fault: str) -> SettingsRefused:
    return SettingsRefused([f"TIMESTAMP_AUTHORITIES_FILE: {fault}."])


@dataclass(slots=True)
class _Asking:
    """A question on its way, in a thread that nobody waits for longer than agreed."""

    token: bytes | None = None
    reason: str = "did not end in time"
    thread: Thread | None = field(default=None, repr=False)


class Authorities:
    """Every authority of the file; none is asked again before it has ended answering."""

    def __init__(self, listed: Sequence[Authority], *, seconds: float = SECONDS) -> None:
        self.listed = tuple(listed)
        self._seconds = seconds
        self._asked: dict[str, _Asking] = {}

    def tokens(
        self, note: bytes, whom: Sequence[Authority]
    ) -> tuple[dict[str, bytes], dict[str, str]]:
        """The answers that fit, by name; and who gave none, with the reason."""
        deadline = monotonic() + self._seconds
        asking = {each.name: self._begun(each, note, deadline) for each in whom}
        for each in asking.values():
            if each.thread is not None:
                each.thread.join(max(deadline - monotonic(), 0))
        got = {name: each.token for name, each in asking.items() if each.token is not None}
        return got, {name: each.reason for name, each in asking.items() if name not in got}

    def _begun(self, authority: Authority, note: bytes, deadline: float) -> _Asking:
        before = self._asked.get(authority.name)
        if before is not None and before.thread is not None and before.thread.is_alive():
            return _Asking(reason="has not ended its last answer")
        asking = _Asking()
        # Headers that drip outlast any timeout of a read: the process must be able to end without.
        asking.thread = Thread(target=_ask, args=(asking, authority, note, deadline), daemon=True)
        self._asked[authority.name] = asking
        asking.thread.start()
        return asking


def _ask(asking: _Asking, authority: Authority, note: bytes, deadline: float) -> None:
    question = Question(note)
    try:
        answer = _posted(authority.url, question.body, deadline)
        question.require_answered(answer)
    except requests.RequestException as error:
        asking.reason = type(error).__name__
    except TimestampRefused as refused:
        asking.reason = str(refused)
    else:
        asking.token = answer


def _posted(url: str, body: bytes, deadline: float) -> bytes:
    headers = {"Content-Type": "application/timestamp-query", "Accept-Encoding": "identity"}
    # A redirect could lead anywhere.
    with requests.post(
        url, data=body, headers=headers, timeout=SECONDS, allow_redirects=False, stream=True
    ) as answer:
        if answer.status_code != requests.codes.ok:
            raise TimestampRefused(f"status {answer.status_code}")
        data = bytearray()
        for block in answer.iter_content(_BLOCK):
            data += block
            if len(data) > MOST_TOKEN_BYTES:
                raise TimestampRefused("the answer is larger than it can be")
            if monotonic() > deadline:
                raise TimestampRefused("did not end in time")
        return bytes(data)
