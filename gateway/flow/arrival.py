"""One request's part of an upload: its octets become parts of an object, and only then count.

What is recorded as arrived is durable: whole parts in the object store, and what came after the
last of them in an object of its own, the tail. So `kill -9` costs the sender at most the few parts
that are on their way.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hmac import compare_digest
from io import BytesIO
from secrets import token_hex
from threading import Lock
from typing import Protocol
from uuid import UUID

from gateway.errors import ChecksumMismatch, ServiceFailed, Superseded
from gateway.flow.body import too_large
from gateway.store.database import Database
from gateway.store.objects import PART, Bucket, ObjectStore, Readable, quarantine_key
from gateway.store.parts import Data, Part, side_by_side
from gateway.store.uploads import Upload, next_number, record_arrival

_BLOCK = 1 << 20
_MOST_HASHES = 256


class Hash(Protocol):
    """A running hash."""

    def update(self, data: bytes, /) -> None:
        """Take more octets."""

    def digest(self) -> bytes:
        """The digest so far."""

    def hexdigest(self) -> str:
        """The same in hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a piece must hash to; the algorithm as hashlib names it."""

    algorithm: str
    digest: bytes


class RunningHashes:
    """SHA-256 over what has arrived, where this process saw all of it.

    A shortcut and no truth: what is not here is read again when the upload is whole.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[UUID, int], Hash] = OrderedDict()
        self._lock = Lock()

    def take(self, upload: Upload) -> Hash | None:
        """The hash of exactly what has arrived; whoever takes it goes on with it."""
        if upload.received == 0:
            return hashlib.sha256()
        with self._lock:
            return self._kept.pop((upload.id, upload.received), None)

    def keep(self, upload_id: UUID, received: int, running: Hash | None) -> None:
        """Remember a hash, and forget the oldest beyond a few hundred."""
        if running is None:
            return
        with self._lock:
            self._kept[upload_id, received] = running
            if len(self._kept) > _MOST_HASHES:
                self._kept.popitem(last=False)


class Arrival:
    """Takes the octets of one request; superseded as soon as another request writes."""

    def __init__(
        self, database: Database, objects: ObjectStore, upload: Upload, *, max_bytes: int
    ) -> None:
        self._database = database
        self._objects = objects
        self._upload = upload
        self._parts = objects.parts(Bucket.QUARANTINE)
        self._limit = max_bytes if upload.length is None else upload.length
        self._multipart = upload.multipart
        self._recorded_tail = upload.tail
        self._confirmed: list[Part] = []
        self._in_parts = upload.received - upload.tail_size
        self.received = upload.received

    @property
    def key(self) -> str:
        """Where the parts will be an object."""
        return quarantine_key(self._upload.agency_id, self._upload.id)

    @property
    def is_whole(self) -> bool:
        """Whether everything has arrived."""
        return self.received == self._upload.length

    def take(self, body: Readable, *, running: Hash | None, checksum: Checksum | None) -> bytes:
        """Read the body to its end; return what is left of it after the last whole part.

        Without a checksum each part counts as soon as it and all before it are durable. With one
        none does before all of the piece was held against it. What is returned does not count yet:
        see `settle`.
        """
        measured = None if checksum is None else hashlib.new(checksum.algorithm)
        hashes = [each for each in (running, measured) if each is not None]
        buffer = bytearray(self._tail())

        def whole_parts() -> Iterator[tuple[int, bytearray]]:
            nonlocal buffer
            while block := self._read(body, most=PART - len(buffer)):
                for each in hashes:
                    each.update(block)
                buffer.extend(block)
                if len(buffer) == PART:
                    yield self._numbered(), buffer
                    buffer = bytearray()

        for part in side_by_side(self._put, whole_parts()):
            self._confirm(part)
            if checksum is None:
                self._record(None, b"")
        if checksum is not None and measured is not None:
            _require(checksum, measured)
        return bytes(buffer)

    def settle(self, rest: bytes) -> None:
        """Make the rest durable too, as the last part or as the tail, and count everything."""
        if self.is_whole and rest:
            self._confirm(self._put(self._numbered(), rest))
            rest = b""
        if not self._confirmed and self.received == self._upload.received:
            return
        tail = f"{self.key}.{token_hex(8)}.tail" if rest else None
        if tail is not None:
            self._objects.put(Bucket.QUARANTINE, tail, BytesIO(rest))
        try:
            self._record(tail, rest)
        except Superseded:
            self._forget(tail)
            raise

    def fits_one_object(self, rest: bytes) -> bool:
        """Whether the rest is all there is, so that no parts are needed."""
        return self.is_whole and len(rest) == self.received

    def _tail(self) -> bytes:
        if self._recorded_tail is None:
            return b""
        return b"".join(self._objects.get(Bucket.QUARANTINE, self._recorded_tail))

    def _read(self, body: Readable, *, most: int) -> bytes:
        room = self._limit - self.received
        block = body.read(min(_BLOCK, most, room + 1))
        if len(block) > room:
            raise too_large(self._limit)
        self.received += len(block)
        return block

    def _numbered(self) -> int:
        """The number of the next part."""
        self._multipart = self._multipart or self._parts.begin(self.key)
        with self._database.transaction() as session:
            number = next_number(session, self._upload, multipart=self._multipart)
        if number is None:
            raise superseded()
        return number

    def _put(self, number: int, data: Data) -> Part:
        if self._multipart is None:
            raise LookupError("a part was given no number")
        return self._parts.put(self.key, self._multipart, number, data)

    def _confirm(self, part: Part) -> None:
        self._confirmed.append(part)
        self._in_parts += part.size

    def _record(self, tail: str | None, rest: bytes) -> None:
        """Count what is in parts, and the rest, which is in the tail."""
        with self._database.transaction() as session:
            is_ours = record_arrival(
                session,
                self._upload,
                self._confirmed,
                received=self._in_parts + len(rest),
                tail=tail,
                tail_size=len(rest),
            )
        if not is_ours:
            raise superseded()
        self._confirmed = []
        self._forget(self._recorded_tail)
        self._recorded_tail = tail

    def _forget(self, tail: str | None) -> None:
        if tail is not None:
            # What is left behind refers to nothing; it goes with the upload's bucket rules.
            with suppress(ServiceFailed):
                self._objects.delete(Bucket.QUARANTINE, tail)


def superseded() -> Superseded:
    """The refusal of a writer that another one took the place of."""
    return Superseded(
        "upload-superseded",
        "Another request writes to this upload now.",
        "Ask with HEAD how much has arrived, and go on from there in one request at a time.",
    )


def _require(checksum: Checksum, measured: Hash) -> None:
    if not compare_digest(measured.digest(), checksum.digest):
        raise ChecksumMismatch(
            "checksum-mismatch",
            "What arrived is not what its checksum says; nothing of this piece was kept.",
            "Send the piece again from the same offset.",
        )
