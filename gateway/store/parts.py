"""An object put part by part (S3's multipart upload), and whole only when its parts are joined.

Every part carries a SHA-256 that the store verifies before it answers. What was not joined is no
object: nobody can read it, and it is gone when it is abandoned.
"""

from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from gateway.errors import ServiceFailed

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

AT_ONCE = 2
"""Parts of one object that are on their way together: a store hashes each on one of its cores."""

Data = bytes | bytearray
"""The octets of a part; whoever hands over a bytearray does not touch it again."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part that the store has confirmed; `sha256` in Base64, as S3 has it."""

    number: int
    etag: str
    sha256: str
    size: int


class PartStore:
    """The objects of one bucket that are on their way."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def begin(self, key: str) -> str:
        """Return what S3 calls the upload id."""
        with ours("object-not-stored"):
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ChecksumAlgorithm="SHA256"
            )
        return begun["UploadId"]

    def put(self, key: str, upload: str, number: int, data: Data) -> Part:
        """Store a part; all but the last have at least 5 MiB. The same number again replaces it.

        A bytearray is sent from where it is; bytes are copied once more behind the request's head.
        """
        checksum = b64encode(sha256(data).digest()).decode()
        with ours("object-not-stored"):
            answer = self._client.upload_part(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload,
                PartNumber=number,
                Body=cast(bytes, data),  # boto takes either, its types name one
                ChecksumSHA256=checksum,
            )
        return Part(number, answer["ETag"], checksum, len(data))

    def join(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        """Make the object of its parts, in the order of their numbers; safe to repeat."""
        with ours("object-not-stored"):
            try:
                self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=key,
                    UploadId=upload,
                    MultipartUpload={
                        "Parts": [
                            {
                                "PartNumber": part.number,
                                "ETag": part.etag,
                                "ChecksumSHA256": part.sha256,
                            }
                            for part in parts
                        ]
                    },
                )
            except ClientError as error:
                # Joined before, by a process that did not live to say so.
                if answered(error) != "NoSuchUpload" or self.size(key) != _total(parts):
                    raise

    def abandon(self, key: str, upload: str) -> None:
        """Remove all parts; safe to repeat."""
        with ours("object-not-deleted"):
            try:
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
            except ClientError as error:
                if answered(error) != "NoSuchUpload":
                    raise

    def size(self, key: str) -> int:
        """How many octets an object has; the store's own errors are the caller's to name."""
        return self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"]


def side_by_side(
    put: Callable[[int, Data], Part], numbered: Iterable[tuple[int, Data]]
) -> Iterator[Part]:
    """Put parts, a few at once; each comes back in its turn, confirmed as all before it are.

    Where one fails, so does this, once those under way have ended; and so it does where the parts
    cannot be had any longer.
    """
    under_way: deque[Future[Part]] = deque()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="part") as threads:
        for number, data in numbered:
            if len(under_way) == AT_ONCE:
                yield under_way.popleft().result()
            under_way.append(threads.submit(put, number, data))
        for each in under_way:
            yield each.result()


@contextmanager
def ours(code: str) -> Iterator[None]:
    """Whatever the store does wrong is ours to mend, and never the sender's."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ServiceFailed(
            code,
            "The gateway cannot reach its object store just now.",
            "Nothing was recorded. Try again in a minute.",
            detail=type(error).__name__,
        ) from error


def answered(error: ClientError) -> str:
    """The code with which the store refused."""
    return error.response.get("Error", {}).get("Code", "")


def _total(parts: Sequence[Part]) -> int:
    return sum(part.size for part in parts)
