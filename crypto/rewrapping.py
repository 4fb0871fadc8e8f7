"""Rewrapping: other recipients for a sealed object, without touching what is encrypted in it.

The session key is unwrapped and wrapped anew. The few hundred octets that come of it are all that
changes: kept beside an object that must not change (a locked vault, a manifest that names its
hash), they open it when they are read before it. What was bound into the data when it was sealed,
its context, stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from shutil import copyfileobj
from typing import BinaryIO

from crypto.certificate import Certificate
from crypto.envelope import read_envelope
from crypto.framing import CHUNK, Octets, Readable
from crypto.policy import Limits
from crypto.protected import require_own_key
from crypto.refusals import MdcFailed
from crypto.sealing import encryption_keys
from crypto.sessionkey import KeyHolder, SessionKey, wrap
from crypto.writing import Sink


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """The session key for the new recipients, and how long the old ones' part of the object is.

    `session_keys` followed by the whole object is a message for both (RFC 9580 section 10.3);
    followed by the object from octet `data_at` on, for the new recipients alone.
    """

    session_keys: bytes
    data_at: int


def rewrap(
    source: Readable, *, keyring: KeyHolder, recipients: Sequence[Certificate], now: datetime
) -> Rewrapped:
    """Wrap a sealed object's session key for these recipients.

    `source` is binary, not armored; only its beginning is read. `keyring` may be any holder of a
    key that opens it. Raises MessageRefused, or CertificateRefused when a recipient has no key to
    encrypt to. The data is not decrypted, so that damage to it is found when it is unsealed and not
    here.
    """
    keys = encryption_keys(recipients, now=now)
    envelope = read_envelope(Octets(source), limits=Limits())
    session = keyring.unwrap(envelope.wrapped)
    _require_unwrapped(session)
    require_own_key(envelope.body, session.key)
    return Rewrapped(b"".join(wrap(session, key) for key in keys), envelope.data_at)


def write_rewrapped(rewrapped: Rewrapped, source: BinaryIO, sink: Sink) -> None:
    """Write the object for the new recipients alone; `source` is the object, and seekable."""
    sink.write(rewrapped.session_keys)
    source.seek(rewrapped.data_at)
    copyfileobj(source, sink, CHUNK)


def _require_unwrapped(session: SessionKey) -> None:
    # A key that could not be unwrapped comes back as a random one; wrapping that would lock
    # everybody out for ever.
    if not session.unwrapped_by:
        raise MdcFailed("the session key could not be unwrapped")
