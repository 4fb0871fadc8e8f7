"""RFC 3161 timestamps over checkpoints: when a signed state of the log was there at the latest.

An authority, which has nothing to do with the log, signs the SHA-256 of a note and its own time.
So whoever has the log's key can sign another history, but cannot have it stamped in the past. What
is believed of a token, offline:

1. It answers "granted", and is signed by one signer whose certificate leads to a pinned root, at
   the time that the token itself says (a certificate that has ended since does not matter).
2. That certificate is for timestamps, and says so critically (RFC 3161 section 2.3).
3. It is over the SHA-256 of exactly these octets.
4. These octets are a checkpoint by the log's key.

A token bounds from above: what the checkpoint covers was there at that time. It does not say that
the checkpoint was the newest then; whoever asked for it says so. Revocation is not asked for, since
nothing here opens a connection.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography.x509 import Certificate, ObjectIdentifier, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    TimeStampTokenInfo,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from audit.certificateset import in_order
from audit.checkpoint import Checkpoint
from audit.errors import KeyRefused, TimestampRefused
from audit.keyring import LogKeys

MOST_TOKEN_BYTES = 65_536
SHA256 = ObjectIdentifier("2.16.840.1.101.3.4.2.1")


@dataclass(frozen=True, slots=True)
class Stamp:
    """A state of the log, and when it was there at the latest by an authority's clock."""

    checkpoint: Checkpoint
    at: datetime


class Question:
    """What an authority is asked about a note: its SHA-256, with a nonce that the library makes."""

    def __init__(self, note: bytes) -> None:
        builder = TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256)
        self._request = builder.build()
        self._digest = sha256(note).digest()

    @property
    def body(self) -> bytes:
        """The question as it is sent (`application/timestamp-query`)."""
        return self._request.as_bytes()

    def require_answered(self, answer: bytes) -> None:
        """Raise TimestampRefused unless these octets claim to answer this very question.

        Nobody has verified the signature: only who pins the authority's root can.
        """
        info = _info(_granted(answer))
        if info.nonce != self._request.nonce:
            raise TimestampRefused("the timestamp answers another question (nonce)")
        _require_over(info, self._digest)


def read_roots(pem: bytes) -> tuple[Certificate, ...]:
    """The certificates that somebody pins, from a PEM file; raises KeyRefused."""
    try:
        return tuple(load_pem_x509_certificates(pem))
    except ValueError:
        raise KeyRefused("this is no certificate of an authority in PEM form") from None


def verify_stamp(
    note: bytes, token: bytes, *, roots: Sequence[Certificate], keys: LogKeys
) -> Stamp:
    """What a token proves of a note. Raises TimestampRefused, or an error of the note."""
    at = stamped_at(note, token, roots=roots)
    return Stamp(keys.checkpoint(note), at)


def stamped_at(octets: bytes, token: bytes, *, roots: Sequence[Certificate]) -> datetime:
    """When these octets were there at the latest; raises TimestampRefused."""
    answer = _granted(token)
    digest, builder = sha256(octets).digest(), VerifierBuilder(roots=list(roots))
    info = _info(answer)
    _require_over(info, digest)
    try:
        builder.build().verify(answer, digest)
    except (VerificationError, ValueError) as error:
        raise TimestampRefused(f"the timestamp does not verify: {error}") from error
    return info.gen_time


def _granted(answer: bytes) -> TimeStampResponse:
    if len(answer) > MOST_TOKEN_BYTES:
        raise TimestampRefused("the timestamp is larger than it can be")
    try:
        decoded = decode_timestamp_response(in_order(answer))
        status = PKIStatus(decoded.status)
    except ValueError:
        raise TimestampRefused("this is no timestamp") from None
    if status is not PKIStatus.GRANTED:
        raise TimestampRefused(f"the authority refuses: {status.name.lower()}")
    return decoded


def _info(answer: TimeStampResponse) -> TimeStampTokenInfo:
    try:
        return answer.tst_info
    except ValueError:
        raise TimestampRefused("the answer holds no timestamp") from None


def _require_over(info: TimeStampTokenInfo, digest: bytes) -> None:
    # Of another length, another algorithm: the library alone would take either.
    imprint = info.message_imprint
    if imprint.hash_algorithm != SHA256 or imprint.message != digest:
        raise TimestampRefused("the timestamp is over other octets")
