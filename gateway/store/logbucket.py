"""The bucket that mirrors the audit log: written once, under Object Lock (`audit.mirror.Shelf`).

`add` leaves it to the store to decide who is first (`If-None-Match`), so that two mirrors cannot
replace each other's files. Object Lock keeps every version of an object: `replace` puts a new one
in front, and the earlier ones stay. Nothing here deletes.
"""

from base64 import b64encode
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from audit.errors import LogDoesNotFit, TileMissing
from audit.tilepath import CHECKPOINTS_FOLDER, checkpoint_path
from audit.tiles import MAX_BUNDLE_BYTES
from gateway.errors import Unlocked
from gateway.store.parts import answered, ours

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

FOLDER = f"{CHECKPOINTS_FOLDER}/"


class LogBucket:
    """One bucket of one S3 endpoint."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client = client
        self._name = name

    def require_lock(self) -> None:
        """Return if what is put here from now on stays; raise Unlocked otherwise."""
        with ours("object-store-unavailable"):
            try:
                found = self._client.get_object_lock_configuration(Bucket=self._name)
            except ClientError as error:
                if answered(error) != "ObjectLockConfigurationNotFoundError":
                    raise
                raise Unlocked(self._name) from error
        rule = found["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention", {})
        if rule.get("Mode") != "COMPLIANCE":
            raise Unlocked(self._name)

    def read(self, path: str) -> bytes:
        """What stands under a path, in its newest version; raises TileMissing or LogDoesNotFit."""
        with ours("object-not-readable"):
            try:
                body = self._client.get_object(Bucket=self._name, Key=path)["Body"]
            except ClientError as error:
                if answered(error) != "NoSuchKey":
                    raise
                raise TileMissing(path) from error
            with closing(body):
                data = body.read(MAX_BUNDLE_BYTES + 1)
        if len(data) > MAX_BUNDLE_BYTES:
            raise LogDoesNotFit(f"{path} is larger than it can be")
        return data

    def add(self, path: str, data: bytes) -> bytes:
        """Put an object unless there is one; return what is there."""
        with ours("object-not-stored"):
            try:
                self._client.put_object(
                    Bucket=self._name,
                    Key=path,
                    Body=data,
                    ChecksumSHA256=_checksum(data),
                    IfNoneMatch="*",
                )
            except ClientError as error:
                if answered(error) != "PreconditionFailed":
                    raise
                return self.read(path)
        return data

    def replace(self, path: str, data: bytes) -> None:
        """Put an object, as a new version where there is one."""
        with ours("object-not-stored"):
            self._client.put_object(
                Bucket=self._name, Key=path, Body=data, ChecksumSHA256=_checksum(data)
            )

    def newest(self, since: int) -> int | None:
        """The largest size from `since` on under `checkpoints/`; raises LogDoesNotFit."""
        after = checkpoint_path(since - 1) if since else FOLDER
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._name, Prefix=FOLDER, StartAfter=after
        )
        last = ""
        with ours("object-not-readable"):
            for page in pages:
                for found in page.get("Contents", []):
                    last = found["Key"]
        return _size(last) if last else None


def _size(path: str) -> int:
    digits = path.removeprefix(FOLDER)
    if not digits.isascii() or not digits.isdigit() or checkpoint_path(int(digits)) != path:
        raise LogDoesNotFit("the mirror holds a checkpoint under a name that is none")
    return int(digits)


def _checksum(data: bytes) -> str:
    return b64encode(sha256(data).digest()).decode()
