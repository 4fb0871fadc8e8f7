"""The errors of this package. Verification returns the verified thing or raises one of these.

CryptoError                  code "crypto-error"
├── MessageRefused           code "message-refused": the sender must mend it (crypto.refusals)
│   ├── NotEncrypted         code "not-encrypted": no OpenPGP encryption around the file
│   ├── NotSigned            code "not-signed": encrypted, but by nobody in particular
│   ├── NoIntegrity          code "no-integrity": encryption that cannot show tampering
│   ├── MdcFailed            code "mdc-failed": does not open, or was changed; says no more
│   ├── Truncated            code "truncated": the end is missing
│   ├── WrongRecipient       code "wrong-recipient": encrypted, but not to us
│   ├── MeantForAnother      code "meant-for-another": signed for somebody else
│   ├── UnknownSigner        code "unknown-signer": signed by none of the expected senders
│   ├── BadSignature         code "bad-signature": a sender's signature that does not hold
│   ├── SignerRevoked        code "signer-revoked": the signing key was withdrawn
│   ├── SignerExpired        code "signer-expired": the signing key is past its date
│   ├── SignatureFuture      code "signature-future": the sender's clock runs ahead
│   ├── WeakHash             code "weak-hash": MD5, SHA-1 and their age
│   ├── WeakKey              code "weak-key": RSA below 3072 bits, DSA, ElGamal
│   ├── WeakCipher           code "weak-cipher": anything but AES
│   ├── Bomb                 code "bomb": inflates beyond reason
│   ├── TooLarge             code "too-large": more than the gateway takes
│   ├── Malformed            code "malformed": not the shape of an OpenPGP message
│   ├── Unsupported          code "unsupported": OpenPGP, but a form that is not taken here
│   └── TrailingData         code "trailing-data": bytes after the end of the message
├── CertificateRefused       code "certificate-refused": carries every weakness found
├── KeyRefused               code "key-refused": a private key that cannot be loaded or used
│   └── KeyLocked            code "key-locked": it is under a passphrase, and none was given
├── WrongContext             code "wrong-context": a sealed object shown in another's place
└── CellDamaged              code "cell-damaged": a small value that was changed or moved
"""

from dataclasses import dataclass


class CryptoError(Exception):
    """The root of this package's errors; `code` is stable and meant for machines."""

    code = "crypto-error"


class MessageRefused(CryptoError):
    """A message or signature that its sender must mend.

    `message` and `mend` are fixed sentences for a case worker, the same for every instance of a
    class, so that they can hold neither plaintext nor an answer to an attacker's question.
    `cause_code` and `detail` say what exactly happened, for the audit log only.
    """

    code = "message-refused"
    message = "The message was refused."
    mend = "Encrypt and sign the package again, and send it again."

    def __init__(self, detail: str = "", *, cause_code: str = "") -> None:
        super().__init__(self.message)
        self.detail = detail
        self.cause_code = cause_code or self.code


@dataclass(frozen=True, slots=True)
class Weakness:
    """One reason against a certificate: a stable code and a sentence."""

    code: str
    sentence: str


class CertificateRefused(CryptoError):
    """A certificate that may not be enrolled or used; names all its weaknesses."""

    code = "certificate-refused"

    def __init__(self, weaknesses: tuple[Weakness, ...]) -> None:
        super().__init__(" ".join(weakness.sentence for weakness in weaknesses))
        self.weaknesses = weaknesses


class KeyRefused(CryptoError):
    """A private key that cannot be loaded with this passphrase, or cannot do what is asked."""

    code = "key-refused"


class KeyLocked(KeyRefused):
    """A private key under a passphrase, and no passphrase."""

    code = "key-locked"


class WrongContext(CryptoError):
    """The sealed object opens, but was sealed as another object."""

    code = "wrong-context"


class CellDamaged(CryptoError):
    """A small value was changed, moved to another place, or sealed under another key."""

    code = "cell-damaged"
