"""Making messages: sealing to the vault, and signing and encrypting as a sender does.

A fresh AES-256 session key for each message, wrapped to each recipient's newest key; integrity
protected data of version 1; no compression, since packages are compressed already and the length
of compressed text tells of its content. A seal carries its context as the literal's name, so that
one sealed object cannot be passed off as another.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from shutil import copyfileobj

from crypto.certificate import Certificate
from crypto.decrypting import MakeScratch, decrypt
from crypto.detached import digest_signature
from crypto.errors import CertificateRefused, Weakness, WrongContext
from crypto.fields import seconds
from crypto.framing import CHUNK, LITERAL, ONE_PASS, PROTECTED, SIGNATURE, Readable
from crypto.keyring import Keyring
from crypto.policy import SHA_512, Limits
from crypto.protected import ProtectedWriter
from crypto.publickey import PublicKey
from crypto.scratch import Scratch
from crypto.sessionkey import KeyHolder, PrivateKey, fresh_session_key, wrap
from crypto.signature import BINARY, meant_for
from crypto.vetting import encryption_key
from crypto.writing import Parts, Sink, Write, packet


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was written: octets, and their SHA-256 in hex."""

    size: int
    sha256: str


def seal(
    source: Readable,
    sink: Sink,
    *,
    recipients: Sequence[Certificate],
    context: str,
    now: datetime,
) -> Sealed:
    """Encrypt the source to the recipients, bound to the context (255 octets of UTF-8 at most).

    Raises CertificateRefused when a recipient has no key to encrypt to at this time.
    """
    return _encrypt(
        sink,
        recipients=recipients,
        now=now,
        fill=lambda write: _write_literal(source, write, filename=context, now=now),
    )


def unseal(
    source: Readable,
    sink: Sink,
    *,
    keyring: KeyHolder,
    context: str | None,
    make_scratch: MakeScratch = Scratch,
) -> int:
    """Decrypt a sealed object in bounded memory; answer how many octets reached the sink.

    Nothing reaches the sink before the modification check and the context have been checked. Raises
    MessageRefused, or WrongContext when the object was sealed as another. `keyring` may be any
    holder of the private key; `context` is None for whoever has none to compare with.
    """
    limits = Limits(compression_depth=0)
    contents, _ = decrypt(source, keyring, limits=limits, make_scratch=make_scratch)
    with contents.plaintext as plaintext:
        if context is not None and not compare_digest(contents.filename, context.encode()):
            raise WrongContext("The object was sealed under another name.")
        copyfileobj(plaintext, sink, CHUNK)
        return plaintext.size


def sign_and_encrypt(
    source: Readable,
    sink: Sink,
    *,
    signer: Keyring,
    recipients: Sequence[Certificate],
    now: datetime,
    filename: str = "package.zip",
) -> Sealed:
    """Sign with the signer's newest key and encrypt to the recipients.

    Raises KeyRefused when the signer may not sign now, CertificateRefused as `seal` does.
    """
    key = signer.signing_key(now=now)
    # Named in the signature, so that no recipient can pass it on as if it were meant for another.
    meant = meant_for(recipient.fingerprint for recipient in recipients)

    def fill(write: Write) -> None:
        write(packet(ONE_PASS, _one_pass(key)))
        context = hashlib.sha512()
        _write_literal(source, write, filename=filename, now=now, seen=context.update)
        body = digest_signature(context, key, now=now, more=meant)
        write(packet(SIGNATURE, body))

    return _encrypt(sink, recipients=recipients, now=now, fill=fill)


def encryption_keys(recipients: Sequence[Certificate], *, now: datetime) -> list[PublicKey]:
    """A key for each recipient, or CertificateRefused; also when there is nobody."""
    if not recipients:
        raise CertificateRefused((Weakness("no-recipient", "There is nobody to encrypt to."),))
    return [encryption_key(recipient, now=now) for recipient in recipients]


class _Measured:
    """A sink that knows the size and hash of what it took."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> None:
        self._hash.update(data)
        self._size += len(data)
        self._sink.write(data)

    def sealed(self) -> Sealed:
        return Sealed(self._size, self._hash.hexdigest())


def _encrypt(
    sink: Sink,
    *,
    recipients: Sequence[Certificate],
    now: datetime,
    fill: Callable[[Write], None],
) -> Sealed:
    # All keys are chosen before the first octet is written: a refusal leaves the sink untouched.
    keys = encryption_keys(recipients, now=now)
    session, measured = fresh_session_key(), _Measured(sink)
    for key in keys:
        measured.write(wrap(session, key))
    parts = Parts(measured.write, PROTECTED)
    protected = ProtectedWriter(parts.write, session.key)
    fill(protected.write)
    protected.finish()
    parts.finish()
    return measured.sealed()


def _one_pass(key: PrivateKey) -> bytes:
    """RFC 9580 section 5.4; the last octet says that no further signature follows around it."""
    header = bytes([3, BINARY, SHA_512, key.public.algorithm])
    return header + bytes.fromhex(key.public.key_id) + b"\x01"


def _write_literal(
    source: Readable,
    write: Write,
    *,
    filename: str,
    now: datetime,
    seen: Callable[[bytes], object] = len,
) -> None:
    name = filename.encode()
    if len(name) > 255:
        raise ValueError("a literal's name has at most 255 octets")
    parts = Parts(write, LITERAL)
    parts.write(b"b" + bytes([len(name)]) + name + seconds(now))
    for piece in _pieces(source):
        seen(piece)
        parts.write(piece)
    parts.finish()


def _pieces(source: Readable) -> Iterable[bytes]:
    return iter(lambda: source.read(CHUNK), b"")
