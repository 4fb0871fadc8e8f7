"""Detached signatures: making them with OpenSSL, and verifying them as messages are verified.

RFC 9580 section 10.4. SHA-512 over a binary document; armored when made, either form when read.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import BinaryIO

import pysequoia
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from crypto.armor import ArmorKind, armored
from crypto.certificate import Certificate
from crypto.digesting import Digests, Method
from crypto.errors import KeyRefused
from crypto.fields import mpi
from crypto.framing import CHUNK, SIGNATURE, Octets, next_packet
from crypto.keyring import Keyring
from crypto.policy import Limits
from crypto.refusals import Malformed
from crypto.sessionkey import PrivateKey
from crypto.signature import BINARY, Hash, complete, new_hashed_part, parse_signature, trailer
from crypto.verdict import Document, Verified, verify_signatures
from crypto.writing import packet

_MOST_OCTETS = 64 * 1024
_ARMOR = b"-----BEGIN PGP SIGNATURE-----"


def sign_detached(data: bytes, *, signer: Keyring, now: datetime) -> str:
    """An armored signature over the data; KeyRefused when the signer may not sign now."""
    body = digest_signature(hashlib.sha512(data), signer.signing_key(now=now), now=now)
    return armored(packet(SIGNATURE, body), kind=ArmorKind.SIGNATURE)


def verify_detached(
    data: bytes | BinaryIO, signature: bytes, *, senders: Sequence[Certificate], now: datetime
) -> Verified:
    """Who signed the data, under the same rules as a message; raises MessageRefused.

    A file is read once, in bounded memory.
    """
    bodies = _bodies(signature)
    parsed = [parse_signature(body) for body in bodies]
    digests = Digests(Method(one.hash_id, one.kind) for one in parsed)
    source = BytesIO(data) if isinstance(data, bytes) else data
    while piece := source.read(CHUNK):
        digests.update(piece)
    digests.finish()
    document = Document(digests, data if isinstance(data, bytes) else None)
    return verify_signatures(document, bodies, senders=senders, now=now)


def digest_signature(
    context: Hash, key: PrivateKey, *, now: datetime, kind: int = BINARY, more: bytes = b""
) -> bytes:
    """The body of a SHA-512 signature packet over what the context has hashed.

    `more` are subpackets beyond issuer and time.
    """
    hashed = new_hashed_part(key.public, now=now, kind=kind, more=more)
    context.update(trailer(hashed))
    digest = context.digest()
    return complete(hashed, key=key.public, digest=digest, numbers=_sign(key, digest))


def _sign(key: PrivateKey, digest: bytes) -> bytes:
    """The algorithm's numbers (RFC 9580 section 5.2.3)."""
    match key.openssl:
        case rsa.RSAPrivateKey() as private:
            return mpi(private.sign(digest, padding.PKCS1v15(), _prehashed()))
        case ed25519.Ed25519PrivateKey() as private:
            signature = private.sign(digest)
            return mpi(signature[:32]) + mpi(signature[32:])
        case ec.EllipticCurvePrivateKey() as private:
            pair = utils.decode_dss_signature(private.sign(digest, ec.ECDSA(_prehashed())))
            return b"".join(mpi(number.to_bytes(66, "big")) for number in pair)
    raise KeyRefused("this key makes no signatures")


def _prehashed() -> utils.Prehashed:
    return utils.Prehashed(hashes.SHA512())


def _bodies(signature: bytes) -> list[bytes]:
    """The signature packets in a file of signatures."""
    if len(signature) > _MOST_OCTETS:
        raise Malformed("a signature file of more than 64 KiB")
    octets, bodies = Octets(BytesIO(_binary(signature))), list[bytes]()
    while found := next_packet(octets):
        if found.tag != SIGNATURE:
            raise Malformed(f"packet {found.tag} in a signature file")
        bodies.append(found.body.whole(_MOST_OCTETS))
    if len(bodies) > Limits().signatures:
        raise Malformed("too many signatures")
    return bodies


def _binary(signature: bytes) -> bytes:
    if not signature.lstrip().startswith(_ARMOR):
        return signature
    try:
        return bytes(pysequoia.Sig.from_bytes(signature))
    except RuntimeError:
        raise Malformed("the armor holds no signature") from None
