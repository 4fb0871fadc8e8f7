"""The one door to PGPy: it reads, unlocks and makes transferable secret keys, and nothing else.

PGPy sees our own keys only, never a sender's bytes: its parser trusts lengths and its verification
accepts SHA-1, revoked keys and unbound subkeys. It reaches for ciphers and a mode where
`cryptography` used to keep them; they are put in its hands here, so that neither a warning nor
their removal breaks it. PGPy 0.6.0 before Python 3.13, PGPym 0.6.2 from there on.
"""

import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.decrepit.ciphers import algorithms as old
from cryptography.hazmat.primitives.ciphers import algorithms as current

from crypto import publichalf
from crypto.cfb import CFB
from crypto.errors import KeyLocked, KeyRefused, MessageRefused
from crypto.sessionkey import OpenSSLPrivate

with warnings.catch_warnings():
    # PGPy 0.6.0 imports imghdr, which warns from Python 3.11 on.
    warnings.simplefilter("ignore", DeprecationWarning)
    import pgpy
    from pgpy.constants import (
        CompressionAlgorithm,
        EllipticCurveOID,
        HashAlgorithm,
        KeyFlags,
        PubKeyAlgorithm,
        String2KeyType,
        SymmetricKeyAlgorithm,
    )

_OLD_CIPHERS = ("IDEA", "TripleDES", "CAST5", "Blowfish", "Camellia")
pgpy.symenc.modes = SimpleNamespace(CFB=CFB)
pgpy.constants.algorithms = SimpleNamespace(
    AES=current.AES,
    **{name: getattr(old, name, None) or getattr(current, name) for name in _OLD_CIPHERS},
)

# Keys made by newer programs prefer hashes that PGPy has no name for (OpenPGP.js: SHA-3), and it
# would not read them.
HashAlgorithm._missing_ = classmethod(lambda cls, _: cls.Invalid)

# What PGPy's parser lets out for bytes that are no key; its own errors have no common root.
_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
    pgpy.errors.PGPError,
    pgpy.errors.PGPDecryptionError,
    pgpy.errors.PGPIncompatibleECPointFormatError,
    pgpy.errors.PGPOpenSSLCipherNotSupportedError,
)

_PREFERENCES = {
    "hashes": [HashAlgorithm.SHA512, HashAlgorithm.SHA384, HashAlgorithm.SHA256],
    "ciphers": [SymmetricKeyAlgorithm.AES256, SymmetricKeyAlgorithm.AES128],
    "compression": [CompressionAlgorithm.Uncompressed, CompressionAlgorithm.ZLIB],
}


def private_keys(secret: bytes, *, passphrase: str | None) -> Iterator[tuple[str, OpenSSLPrivate]]:
    """Each private key in a transferable secret key, by fingerprint; or KeyRefused.

    Parts without key material (gpg writes such stubs for keys kept offline) are left out.
    """
    key = _parsed(secret)
    for part in (key, *key.subkeys.values()):
        packet = part._key
        if packet.protected and packet.keymaterial.s2k.specifier == String2KeyType.GNUExtension:
            continue
        yield str(part.fingerprint), _unlocked(packet, passphrase)


def public_half(secret: bytes) -> bytes:
    """The certificate in a transferable secret key, armored or binary; as binary."""
    _parsed(secret)
    try:
        return publichalf.public_half(unarmored(secret))
    except MessageRefused as invalid:
        raise KeyRefused(f"the private key cannot be read: {invalid.detail}") from invalid


def unarmored(text: bytes) -> bytes:
    """A key or certificate of our own as binary, whichever form it has; or KeyRefused."""
    try:
        return bytes(pgpy.types.Armorable.ascii_unarmor(text)["body"])
    except _FAULTS as invalid:
        raise KeyRefused("not an OpenPGP key") from invalid


def locked(secret: bytes, passphrase: str) -> bytes:
    """The same armored secret key under a passphrase."""
    key = _parsed(secret)
    key.protect(passphrase, SymmetricKeyAlgorithm.AES256, HashAlgorithm.SHA256)
    return str(key).encode()


def new_key(
    user_id: str, *, now: datetime, valid_for: timedelta | None, passphrase: str | None
) -> bytes:
    """An armored Ed25519 key that certifies and signs, with a Cv25519 subkey that decrypts."""
    key = pgpy.PGPKey.new(PubKeyAlgorithm.EdDSA, EllipticCurveOID.Ed25519, created=now)
    subkey = pgpy.PGPKey.new(PubKeyAlgorithm.ECDH, EllipticCurveOID.Curve25519, created=now)
    expiry = {} if valid_for is None else {"key_expiration": valid_for}
    signing = {KeyFlags.Certify, KeyFlags.Sign}
    key.add_uid(pgpy.PGPUID.new(user_id), usage=signing, created=now, **_PREFERENCES, **expiry)
    decrypting = {KeyFlags.EncryptCommunications, KeyFlags.EncryptStorage}
    key.add_subkey(subkey, usage=decrypting, created=now, **expiry)
    secret = str(key).encode()
    return secret if passphrase is None else locked(secret, passphrase)


def _parsed(secret: bytes) -> Any:
    try:
        key, others = pgpy.PGPKey.from_blob(secret)
    except _FAULTS as invalid:
        raise KeyRefused("not an OpenPGP private key") from invalid
    if key._key is None or key.is_public or len(others) > 1:
        raise KeyRefused("not exactly one OpenPGP private key")
    return key


def _unlocked(packet: Any, passphrase: str | None) -> OpenSSLPrivate:
    if packet.protected and passphrase is None:
        raise KeyLocked("the private key is locked and no passphrase is given")
    try:
        if packet.protected:
            packet.unprotect(passphrase)
        private: OpenSSLPrivate = packet.keymaterial.__privkey__()
    except pgpy.errors.PGPDecryptionError as wrong:
        raise KeyRefused("the passphrase does not open the private key") from wrong
    except _FAULTS as invalid:
        raise KeyRefused("the private key is of a kind that is not accepted") from invalid
    finally:
        # Our reference to the secret numbers goes; OpenSSL keeps the key from here on.
        packet.keymaterial.clear()
    return private
