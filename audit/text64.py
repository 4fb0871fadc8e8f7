"""Base 64 (RFC 4648 section 4) with exactly one spelling for each value.

Python's decoder accepts non-zero padding bits. Two spellings of one signature or hash would let a
note be altered without being broken, and then compared as different.
"""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterable

from audit.merkle import HASH_BYTES


def encode64(data: bytes) -> str:
    """The one spelling."""
    return b64encode(data).decode("ascii")


def decode_hashes(texts: Iterable[str]) -> tuple[bytes, ...] | None:
    """Hashes, each a text, or None where a text is not the one spelling of a hash."""
    digests = [decode64(text) for text in texts]
    hashes = tuple(each for each in digests if each is not None and len(each) == HASH_BYTES)
    return hashes if len(hashes) == len(digests) else None


def decode64(text: str) -> bytes | None:
    """The bytes, or None where the text is not the one spelling of any."""
    try:
        data = b64decode(text, validate=True)
    except (Error, ValueError):
        return None
    return data if encode64(data) == text else None
