"""Object storage over S3: written once, checked by the store, never overwritten.

Four buckets: `quarantine` (ciphertext as received), `vault` (sealed to the vault key, under Object
Lock), `reports` (encrypted to the agency) and `log` (the mirror of the audit log, under Object Lock
as well; `store.logbucket`). Large bodies go up in parts, so that memory stays
bounded whatever the size; every part and every small object carries a SHA-256 that the store itself
verifies before it answers.
"""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from hashlib import sha256
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol
from uuid import UUID

import boto3
from botocore.config import Config

from gateway.errors import ServiceFailed
from gateway.store.logbucket import LogBucket
from gateway.store.parts import PartStore, ours, side_by_side

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from botocore.response import StreamingBody
    from mypy_boto3_s3.client import S3Client

PART = 8 << 20
"""Bytes of a part, of which a few are in memory for one upload; S3 asks for at least 5 MiB."""
_BLOCK = 1 << 20


class Readable(Protocol):
    """Bytes that arrive one after the other."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


class Bucket(StrEnum):
    """The places an object can be."""

    QUARANTINE = "quarantine"
    VAULT = "vault"
    REPORTS = "reports"
    LOG = "log"


LOCKED = {Bucket.VAULT, Bucket.LOG}
"""What these hold stays, whoever would have it gone."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that the store has confirmed."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Version:
    """An object as it was when somebody began to read it."""

    bucket: Bucket
    key: str
    size: int
    tag: str


def quarantine_key(agency_id: str, submission_id: UUID) -> str:
    """Where the ciphertext of a submission waits until it is judged."""
    return f"{agency_id}/{submission_id}.pgp"


class ObjectStore:
    """The gateway's buckets on one S3 endpoint."""

    def __init__(
        self,
        *,
        endpoint_url: str | None,
        access_key_id: str,
        secret_access_key: str,
        region: str,
        bucket_prefix: str,
        retention_days: int,
    ) -> None:
        self._prefix = bucket_prefix
        self._retention_days = retention_days
        client: S3Client = boto3.client(
            "s3",
            endpoint_url=endpoint_url,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            region_name=region,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                connect_timeout=5,
                read_timeout=60,
                retries={"max_attempts": 4, "mode": "standard"},
                max_pool_connections=32,
            ),
        )
        client.meta.events.register_last("before-call.s3", _without_expect)
        self._client = client

    def prepare(self) -> None:
        """Create the buckets that are missing; vault and log lock what they hold."""
        with ours("object-store-unavailable"):
            present = {bucket["Name"] for bucket in self._client.list_buckets()["Buckets"]}
            for bucket in Bucket:
                if self._name(bucket) not in present:
                    self._create(bucket)

    def ping(self, bucket: Bucket = Bucket.VAULT) -> None:
        """Return if the store answers for a bucket; raise ServiceFailed otherwise."""
        with ours("object-store-unavailable"):
            self._client.head_bucket(Bucket=self._name(bucket))

    def put(self, bucket: Bucket, key: str, source: Readable) -> Stored:
        """Store a stream of any length, hashing on the way; return only when it is durable."""
        with ours("object-not-stored"):
            first = _read(source)
            if len(first) < PART:
                return self._put_whole(bucket, key, bytes(first))
            return self._put_parts(bucket, key, first, source)

    def get(self, bucket: Bucket, key: str) -> Iterator[bytes]:
        """The object in blocks of 1 MiB."""
        with ours("object-not-readable"):
            body = self._client.get_object(Bucket=self._name(bucket), Key=key)["Body"]
            # Closed where the reader goes away early too: the connection would stay open otherwise.
            with closing(body):
                yield from body.iter_chunks(_BLOCK)

    def open(self, bucket: Bucket, key: str) -> BinaryIO:
        """The object as a readable stream; the caller closes it."""
        with ours("object-not-readable"):
            body = self._client.get_object(Bucket=self._name(bucket), Key=key)["Body"]
            return BufferedReader(_Reading(body))

    def version(self, bucket: Bucket, key: str) -> Version:
        """The object as it is now, to be read in pieces."""
        with ours("object-not-readable"):
            head = self._client.head_object(Bucket=self._name(bucket), Key=key)
        return Version(bucket, key, head["ContentLength"], head["ETag"])

    def piece(self, version: Version, offset: int, size: int) -> bytes:
        """So many octets of an object, less only at its end; of no other version than this one."""
        size = min(size, version.size - offset)
        if size <= 0:
            return b""
        with ours("object-not-readable"):
            answer = self._client.get_object(
                Bucket=self._name(version.bucket),
                Key=version.key,
                Range=f"bytes={offset}-{offset + size - 1}",
                IfMatch=version.tag,
            )
            with closing(answer["Body"]) as body:
                # Some stores take no notice of a range, or of a condition.
                found = body.read(size + 1)
        if len(found) > size or answer["ETag"] != version.tag:
            raise misread("another range or version than was asked for")
        return found

    def size(self, bucket: Bucket, key: str) -> int:
        """How many octets an object has."""
        with ours("object-not-readable"):
            return self.parts(bucket).size(key)

    def delete(self, bucket: Bucket, key: str) -> None:
        """Remove an object that nothing refers to (a crash may leave one; never the reverse)."""
        with ours("object-not-deleted"):
            self._client.delete_object(Bucket=self._name(bucket), Key=key)

    def parts(self, bucket: Bucket) -> PartStore:
        """Objects of a bucket that are put part by part."""
        return PartStore(self._client, self._name(bucket))

    def log(self) -> LogBucket:
        """The mirror of the audit log."""
        return LogBucket(self._client, self._name(Bucket.LOG))

    def _name(self, bucket: Bucket) -> str:
        return f"{self._prefix}-{bucket}"

    def _create(self, bucket: Bucket) -> None:
        name = self._name(bucket)
        if bucket not in LOCKED:
            self._client.create_bucket(Bucket=name)
            return
        self._client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
        self._client.put_object_lock_configuration(
            Bucket=name,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": self._retention_days}},
            },
        )

    def _put_whole(self, bucket: Bucket, key: str, data: bytes) -> Stored:
        digest = sha256(data)
        self._client.put_object(
            Bucket=self._name(bucket),
            Key=key,
            Body=data,
            ChecksumSHA256=b64encode(digest.digest()).decode(),
        )
        return Stored(key=key, size=len(data), sha256=digest.hexdigest())

    def _put_parts(self, bucket: Bucket, key: str, first: bytearray, source: Readable) -> Stored:
        parts = self.parts(bucket)
        upload = parts.begin(key)
        try:
            return self._send_parts(parts, key, upload, _blocks(first, source))
        except BaseException:
            parts.abandon(key, upload)
            raise

    def _send_parts(
        self, parts: PartStore, key: str, upload: str, blocks: Iterator[bytearray]
    ) -> Stored:
        digest = sha256()

        def hashed() -> Iterator[tuple[int, bytearray]]:
            for number, block in enumerate(blocks, start=1):
                digest.update(block)
                yield number, block

        stored = list(side_by_side(partial(parts.put, key, upload), hashed()))
        parts.join(key, upload, stored)
        size = sum(part.size for part in stored)
        return Stored(key=key, size=size, sha256=digest.hexdigest())


def misread(detail: str) -> ServiceFailed:
    """A store that answered with something else than was asked for."""
    return ServiceFailed(
        "object-not-readable",
        "The gateway cannot reach its object store just now.",
        "Try again in a minute.",
        detail=detail,
    )


def _without_expect(params: dict[str, Any], **_: object) -> None:
    """Send a body without asking first whether it may be sent (RFC 9110 section 10.1.1).

    A round trip for each object, and botocore may take a late answer for the next one's
    (https://github.com/boto/botocore/issues/3755); what we send is never refused by its head.
    """
    params["headers"].pop("Expect", None)


def _read(source: Readable) -> bytearray:
    """One full part, or less only at the end of the stream."""
    part = bytearray()
    while (wanted := PART - len(part)) and (block := source.read(min(wanted, _BLOCK))):
        part += block
    return part


def _blocks(first: bytearray, source: Readable) -> Iterator[bytearray]:
    block = first
    while block:
        yield block
        block = _read(source)


class _Reading(RawIOBase):
    """A readable stream over the body of an object, for code that reads files."""

    def __init__(self, body: "StreamingBody") -> None:
        self._body = body
        self._blocks = body.iter_chunks(_BLOCK)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        if not self._left:
            self._left = memoryview(next(self._blocks, b""))
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._left))
        target[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def close(self) -> None:
        """Give up the connection, whether or not everything was read."""
        self._body.close()
        super().close()
