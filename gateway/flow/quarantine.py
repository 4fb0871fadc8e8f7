"""Ciphertext as received: whole, as its sender announced it, or not kept at all.

Hashed on the way, and checked by the store before it answers. Whoever records what arrived does so
while it is held: a refusal takes the bytes away again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from uuid import UUID

from gateway.errors import Conflict, RequestRefused
from gateway.flow.body import MeasuredBody, MessageBody, too_large
from gateway.records import Channel
from gateway.store.objects import Bucket, ObjectStore, Readable, Stored


@dataclass(frozen=True, slots=True)
class Delivery:
    """An upload as announced by its sender; without a length it must carry a digest."""

    body: Readable
    length: int | None
    channel: Channel
    digests: dict[str, bytes]
    idempotency_key: str | None = None
    replaces: UUID | None = None

    @property
    def hashed_key(self) -> str | None:
        """The Idempotency-Key as it is kept: it is the sender's own text, made of anything."""
        key = self.idempotency_key
        return None if key is None else sha256(key.encode()).hexdigest()


class Quarantine:
    """Takes deliveries of up to `max_bytes`."""

    def __init__(self, objects: ObjectStore, *, max_bytes: int) -> None:
        self._objects = objects
        self._max_bytes = max_bytes

    def admit(self, length: int | None) -> None:
        """Refuse before anything is read what is announced as too large."""
        if length is not None and length > self._max_bytes:
            raise too_large(self._max_bytes)

    @contextmanager
    def hold(self, delivery: Delivery, key: str) -> Iterator[Stored]:
        """The bytes, durable from the beginning of the block; gone again if it refuses them."""
        message = MessageBody(delivery.body)
        body = MeasuredBody(message, frozenset(delivery.digests), max_bytes=self._max_bytes)
        stored = self._objects.put(Bucket.QUARANTINE, key, body)
        try:
            _require_complete(delivery, stored, body)
            yield stored
        except RequestRefused:
            self.discard(key)
            raise

    def discard(self, key: str) -> None:
        """Remove what nothing refers to."""
        self._objects.delete(Bucket.QUARANTINE, key)


def key_reused() -> Conflict:
    """The refusal of a key that stands for another body."""
    return Conflict(
        "idempotency-key-reused",
        "This Idempotency-Key was used before for another body.",
        "Use a new key for each package; repeat a key only with the same bytes.",
    )


def _require_complete(delivery: Delivery, stored: Stored, body: MeasuredBody) -> None:
    """Raise unless what arrived is what was announced, to the byte."""
    if stored.size == 0:
        raise RequestRefused("empty-body", "The upload is empty.", "Send the encrypted package.")
    if delivery.length is not None and stored.size != delivery.length:
        raise _cut_short(delivery.length, stored.size)
    for algorithm, expected in delivery.digests.items():
        if not compare_digest(body.digest(algorithm), expected):
            raise _wrong_digest(algorithm)


def _cut_short(expected: int, actual: int) -> RequestRefused:
    return RequestRefused(
        "body-incomplete",
        f"The upload was announced as {expected} bytes but {actual} arrived.",
        "Send it again: the line was cut, or too slow. Over /v1/uploads only the rest is sent.",
    )


def _wrong_digest(algorithm: str) -> RequestRefused:
    return RequestRefused(
        "digest-mismatch",
        f"The {algorithm} digest of what arrived is not the one you announced.",
        "Send it again; the bytes changed on the way or the digest is of another file.",
    )
