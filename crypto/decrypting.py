"""Decrypting a message to its end, or not at all.

What stands inside decides nothing before the modification check: any refusal raised while reading
plaintext waits until the rest is decrypted and the check passed, so that damaged or guessed-at
ciphertext is always answered "mdc-failed" and never by how its garbage happened to parse.
"""

from collections.abc import Callable

from crypto.armor import binary
from crypto.contents import Contents, read_contents
from crypto.envelope import Envelope, read_envelope
from crypto.errors import MessageRefused
from crypto.framing import Octets, Readable
from crypto.policy import Limits
from crypto.protected import ProtectedReader
from crypto.refusals import TooLarge, TrailingData
from crypto.scratch import Scratch
from crypto.sessionkey import KeyHolder, SessionKey

MakeScratch = Callable[[], Scratch]


class _Counted:
    """A source that knows how much it has given, and when it is too much."""

    def __init__(self, source: Readable, *, most: int) -> None:
        self._source = source
        self._most = most
        self.given = 0

    def read(self, size: int, /) -> bytes:
        piece = self._source.read(size)
        self.given += len(piece)
        if self.given > self._most:
            raise TooLarge(f"more than {self._most} octets encrypted")
        return piece


def decrypt(
    source: Readable, keyring: KeyHolder, *, limits: Limits, make_scratch: MakeScratch
) -> tuple[Contents, SessionKey]:
    """Decrypt one message, armored or binary, and check its integrity; or raise MessageRefused.

    Memory is bounded by the scratch's own limit, whatever the size of the message.
    """
    counted = _Counted(source, most=limits.ciphertext_octets)
    octets = Octets(binary(counted))
    envelope = read_envelope(octets, limits=limits)
    session = keyring.unwrap(envelope.wrapped)
    scratch = make_scratch()
    try:
        contents = _checked(envelope, session, scratch, limits=limits, counted=counted)
        if octets.some(1):
            raise TrailingData("octets after the encrypted data")
    except BaseException:
        scratch.close()
        raise
    return contents, session


def _checked(
    envelope: Envelope, session: SessionKey, scratch: Scratch, *, limits: Limits, counted: _Counted
) -> Contents:
    protected = ProtectedReader(envelope.body, session.key)
    try:
        contents = read_contents(protected, scratch, limits=limits, taken=lambda: counted.given)
    except MessageRefused:
        protected.drain()
        raise
    protected.drain()
    return contents
