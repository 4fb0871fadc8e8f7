"""Promises: what a sender holds the moment its submission is durable, before the log has grown.

    ctds-gateway.inclusion-promise.v1
    <origin>
    <leaf hash, base 64>
    <seconds>
    <entry>
    <delegation, base 64>
    <empty line>
    — <name> <signature of the promise key>

The log will hold this leaf no later than so many seconds after the time of the entry. Where it does
not, the promise convicts whoever runs it. Promises are made where submissions arrive, and the log's
key is not there: it speaks once, in a delegation, for a key that can promise and nothing else.

    ctds-gateway.promise-key.v1
    <origin>
    <verifier key of the promise key>
    <empty line>
    — <origin> <signature of the log's key>

To believe a promise (the numbers stand beside the steps):

1. A key of the log has signed the delegation, which is for this log.
2. The key that it names has signed the promise.
3. The leaf hash is that of the entry, which is canonical.
4. Where the caller still has the ciphertext, the entry carries its SHA-256.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.entry import Entry
from audit.errors import AuditError, PromiseBroken, PromiseRefused
from audit.keyring import LogKeys
from audit.keys import Signer, Verifier
from audit.merkle import leaf_hash
from audit.note import NoteVerifier, open_note
from audit.noteform import split_note
from audit.numerals import read_numeral
from audit.receipt import require_same
from audit.text64 import decode64, encode64

HEADER = "ctds-gateway.inclusion-promise.v1"
DELEGATION = "ctds-gateway.promise-key.v1"
DAY_SECONDS = 86_400
"""Within which an entry is in the log: seconds as a rule, and at the most a day of repairs."""


class Promiser:
    """Holds a promise key, and what the log's key says of it."""

    def __init__(self, origin: str, key: Signer, delegation: bytes, *, seconds: int) -> None:
        self._origin = origin
        self._key = key
        self._delegation = encode64(delegation)
        self._seconds = seconds

    @classmethod
    def from_text(cls, text: str, *, seconds: int = DAY_SECONDS) -> "Promiser":
        """Read what `delegated` wrote; raises PromiseRefused or KeyRefused."""
        first, _, delegation = text.partition("\n\n")
        key = Signer.from_skey(first.strip())
        origin, named = _delegated(delegation.encode())
        if named != key.verifier:
            raise PromiseRefused("the delegation is for another key")
        return cls(origin, key, delegation.encode(), seconds=seconds)

    def promise(self, entry: bytes) -> str:
        """The promise of an entry: for ever the same text."""
        leaf = encode64(leaf_hash(entry))
        lines = (HEADER, self._origin, leaf, str(self._seconds), entry.decode(), self._delegation)
        text = "".join(f"{line}\n" for line in lines)
        return f"{text}\n{self._key.sign(text)}"


def delegated(log: Signer, key: Signer) -> str:
    """The private text of a promise key and of the log's word for it, for `Promiser`."""
    text = f"{DELEGATION}\n{log.name}\n{key.vkey}\n"
    return f"{key.skey()}\n\n{text}\n{log.sign(text)}"


@dataclass(frozen=True, slots=True)
class Promise:
    """What the log has promised, verified."""

    entry: Entry
    leaf: bytes
    due: datetime
    data: bytes


def is_promise(text: str) -> bool:
    """Tell a promise from a receipt; nothing is believed."""
    return text.startswith(f"{HEADER}\n")


def open_promise(text: str, *, keys: LogKeys, ciphertext_sha256: str | None = None) -> Promise:
    """Return what was promised; the numbers are those of the module docstring.

    Raises PromiseRefused, ReceiptRefused where it is for another submission, EntryRefused, or an
    error of a note.
    """
    raw = text.encode()
    origin, leaf, seconds, data, delegation = _parts(split_note(raw).text)
    log_keys: Sequence[NoteVerifier] = keys.keys
    open_note(delegation, log_keys)  # 1
    named_origin, key = _delegated(delegation)
    if not origin == named_origin == keys.keys[0].name:
        raise PromiseRefused("the promise is of another log")
    open_note(raw, [key])  # 2
    if leaf != leaf_hash(data):  # 3
        raise PromiseRefused("the leaf hash is not that of the entry")
    entry = Entry.from_bytes(data)
    if ciphertext_sha256 is not None:  # 4
        require_same(entry.object_sha256, ciphertext_sha256)
    return Promise(entry, leaf, entry.time + timedelta(seconds=seconds), data)


class Promises:
    """Promises held against a log that is read from its beginning."""

    def __init__(self, promises: Iterable[Promise]) -> None:
        self._open = {promise.data: promise for promise in promises}
        self.all = len(self._open)

    def see(self, entries: Sequence[bytes]) -> None:
        """Entries that the log holds."""
        if self._open:
            for kept in self._open.keys() & set(entries):
                del self._open[kept]

    def require_kept(self, now: datetime) -> int:
        """Return how many are not kept and not due yet; raises PromiseBroken if one is overdue.

        `now` is a moment before the log's newest checkpoint was read.
        """
        overdue = min(
            (each for each in self._open.values() if each.due < now), default=None, key=_due
        )
        if overdue is not None:
            raise PromiseBroken(
                f"the log promised entry {overdue.entry.event_id} until "
                f"{overdue.due.isoformat(timespec='seconds')}, and does not hold it"
            )
        return len(self._open)


def _due(promise: Promise) -> datetime:
    return promise.due


def _parts(text: str) -> tuple[str, bytes, int, bytes, bytes]:
    lines = text.split("\n")
    if len(lines) != 7 or lines[0] != HEADER or lines[6]:
        raise PromiseRefused("this is not a promise of a log")
    leaf, seconds, delegation = decode64(lines[2]), read_numeral(lines[3]), decode64(lines[5])
    if leaf is None or seconds is None or delegation is None:
        raise PromiseRefused("leaf hash, seconds or delegation of the promise is malformed")
    return lines[1], leaf, seconds, lines[4].encode(), delegation


def _delegated(raw: bytes) -> tuple[str, Verifier]:
    """The origin and the key of a delegation, believed only by whoever has verified it."""
    lines = split_note(raw).text.split("\n")
    if len(lines) != 4 or lines[0] != DELEGATION or lines[3]:
        raise PromiseRefused("the promise does not carry the log's word for its key")
    try:
        return lines[1], Verifier.from_vkey(lines[2])
    except AuditError as error:
        raise PromiseRefused("the delegation names no key") from error
