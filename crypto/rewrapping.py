"""Rewrapping: other recipients for a sealed object, without touching what is encrypted in it.

The session key is unwrapped and wrapped anew; the encrypted data is copied as it is, octet for
octet, so that a vault of terabytes can change its key in the time that copying takes. What was
bound into the data when it was sealed, its context, stays.
"""

import os
from collections.abc import Sequence
from datetime import datetime
from shutil import copyfileobj
from typing import BinaryIO

from crypto.certificate import Certificate
from crypto.envelope import read_envelope
from crypto.framing import CHUNK, Octets
from crypto.policy import Limits
from crypto.protected import require_own_key
from crypto.refusals import MdcFailed
from crypto.sealing import encryption_keys
from crypto.sessionkey import KeyHolder, SessionKey, wrap


def rewrap(
    source: BinaryIO,
    sink: BinaryIO,
    *,
    keyring: KeyHolder,
    recipients: Sequence[Certificate],
    now: datetime,
) -> int:
    """Write the object for these recipients and no others; answer its size in octets.

    `source` is binary and seekable, and may be open for the holder of `keyring`. Raises
    MessageRefused, or CertificateRefused when a recipient has no key to encrypt to. The data is not
    decrypted, so that damage to it is found when it is unsealed and not here.
    """
    keys = encryption_keys(recipients, now=now)
    envelope = read_envelope(Octets(source), limits=Limits())
    session = keyring.unwrap(envelope.wrapped)
    _require_unwrapped(session)
    require_own_key(envelope.body, session.key)
    header = b"".join(wrap(session, key) for key in keys)
    sink.write(header)
    return len(header) + _copy(source, sink, start=envelope.data_at)


def _require_unwrapped(session: SessionKey) -> None:
    # A key that could not be unwrapped comes back as a random one; wrapping that would lock
    # everybody out for ever.
    if not session.unwrapped_by:
        raise MdcFailed("the session key could not be unwrapped")


def _copy(source: BinaryIO, sink: BinaryIO, *, start: int) -> int:
    """Copy from `start` to the end, by the kernel alone where both are files."""
    size = source.seek(0, os.SEEK_END) - start
    source.seek(start)
    sink.flush()
    try:
        left = size
        while left:
            left -= os.copy_file_range(source.fileno(), sink.fileno(), left, size - left + start)
    except OSError:  # not files, not of one file system, or a system without the call
        source.seek(start + size - left)
        copyfileobj(source, sink, CHUNK)
    return size
