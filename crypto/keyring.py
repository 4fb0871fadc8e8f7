"""Keyrings: the private keys of the gateway, the vault or a sender, loaded once and kept ready.

Keys leave PGPy as OpenSSL objects at loading, since rebuilding and checking an RSA key costs most
of a second. All use of private keys is OpenSSL's. Refuses keys that cannot be unlocked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from crypto import pgpylink
from crypto.armor import ArmorKind, armored
from crypto.certificate import Certificate, load_certificate
from crypto.errors import KeyRefused
from crypto.publickey import Fingerprint
from crypto.sessionkey import PrivateKey, SessionKey, Wrapped, unwrap
from crypto.vetting import faults


@dataclass(frozen=True, slots=True)
class Keyring:
    """Private keys with their certificates; printing one shows no secret."""

    certificates: tuple[Certificate, ...]
    private: Mapping[Fingerprint, PrivateKey] = field(repr=False)

    @classmethod
    def load(cls, keys: Iterable[bytes], *, passphrase: str | None = None) -> Self:
        """Unlock transferable secret keys, armored or binary, all under one passphrase.

        Raises KeyRefused, or CertificateRefused when the public half cannot be read. An expired
        key is loaded: what was sent before may still have to be opened.
        """
        certificates: list[Certificate] = []
        private: dict[Fingerprint, PrivateKey] = {}
        for secret in keys:
            certificate = load_certificate(pgpylink.public_half(secret))
            certificates.append(certificate)
            private |= _pairs(certificate, secret, passphrase=passphrase)
        return cls(tuple(certificates), private)

    @property
    def fingerprints(self) -> tuple[Fingerprint, ...]:
        """The fingerprints of the certificates."""
        return tuple(certificate.fingerprint for certificate in self.certificates)

    @property
    def decrypting(self) -> dict[Fingerprint, PrivateKey]:
        """The keys that may decrypt. Signing keys are never tried on what a stranger sends."""
        allowed = {name for one in self.certificates for name in one.encryption_keys}
        return {name: self.private[name] for name in allowed & self.private.keys()}

    def unwrap(self, wrapped: Sequence[Wrapped]) -> SessionKey:
        """The session key of a message, or a random one; WrongRecipient when none is for us."""
        return unwrap(wrapped, self.decrypting)

    def signing_key(self, *, now: datetime) -> PrivateKey:
        """The newest key that may sign now, or KeyRefused."""
        usable = [
            self.private[component.key.fingerprint]
            for certificate in self.certificates
            for component in certificate.assembled.components
            if component.may_sign and component.key.fingerprint in self.private
            if not faults(certificate, component, now=now)
        ]
        if not usable:
            raise KeyRefused("there is no key that may sign at this time")
        return max(usable, key=lambda key: key.public.created_at)


def generate_key(
    user_id: str, *, now: datetime, valid_for: timedelta | None, passphrase: str | None = None
) -> bytes:
    """A new armored secret key: Ed25519 to certify and sign, Cv25519 to decrypt."""
    return pgpylink.new_key(user_id, now=now, valid_for=valid_for, passphrase=passphrase)


def public_part(secret: bytes) -> bytes:
    """The armored certificate of a secret key."""
    return armored(pgpylink.public_half(secret), kind=ArmorKind.PUBLIC_KEY).encode()


def _pairs(
    certificate: Certificate, secret: bytes, *, passphrase: str | None
) -> dict[Fingerprint, PrivateKey]:
    known = {
        component.key.fingerprint: component.key for component in certificate.assembled.components
    }
    found = pgpylink.private_keys(secret, passphrase=passphrase)
    return {name: PrivateKey(known[name], private) for name, private in found if name in known}
