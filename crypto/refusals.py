"""Why a message is refused: one class a reason, with the sentences that a case worker reads.

The sentences are class attributes and take no argument: nothing of a message, and nothing of how
far decryption came, can reach the person who sent it. The tree is drawn in crypto.errors.
"""

from crypto.errors import MessageRefused


class NotEncrypted(MessageRefused):
    """There is no OpenPGP encryption around the file."""

    code = "not-encrypted"
    message = "The file is not encrypted with OpenPGP."
    mend = (
        "Encrypt the package to the gateway's key and sign it with your agency's key. If what you "
        "sent unencrypted holds personal data, tell your data protection officer."
    )


class NotSigned(MessageRefused):
    """The message opens but carries no signature."""

    code = "not-signed"
    message = "The file is encrypted but not signed, so nobody can tell who made it."
    mend = "Sign the package with your agency's key when you encrypt it (gpg: add --sign)."


class NoIntegrity(MessageRefused):
    """The encrypted data has no integrity protection (packet tag 9)."""

    code = "no-integrity"
    message = "The file is encrypted in an old way that cannot show whether it was changed."
    mend = "Encrypt with a current version of your software, without --rfc2440 or --disable-mdc."


class MdcFailed(MessageRefused):
    """The one answer to a wrong session key, wrong padding and a wrong modification check."""

    code = "mdc-failed"
    message = "The file could not be opened with the gateway's key, or was changed on its way."
    mend = "Fetch the gateway's current key, encrypt the package again and send it again."


class Truncated(MessageRefused):
    """The message ends before its end."""

    code = "truncated"
    message = "The file is empty, or its end is missing."
    mend = "Send the whole file again; the transfer was probably cut off."


class WrongRecipient(MessageRefused):
    """No encrypted session key is addressed to a key of ours."""

    code = "wrong-recipient"
    message = "The file is not encrypted to the gateway's key."
    mend = "Encrypt to the gateway's current key, not to another key or with a password."


class MeantForAnother(MessageRefused):
    """The signature names intended recipients, and we are none of them."""

    code = "meant-for-another"
    message = "The file was signed for another recipient and then encrypted to this gateway."
    mend = "Sign and encrypt the package in one step, to this gateway's current key."


class UnknownSigner(MessageRefused):
    """No signature is by a key of an expected sender."""

    code = "unknown-signer"
    message = "The file is signed, but not with a key that is enrolled for your agency."
    mend = "Sign with the enrolled key, or ask your agency's administrator to enrol this one."


class BadSignature(MessageRefused):
    """A signature that names a sender's key does not hold."""

    code = "bad-signature"
    message = "The signature on the file does not hold."
    mend = "Sign the package again with your agency's signing key and send it again."


class SignerRevoked(MessageRefused):
    """The signing key, or the certificate it belongs to, is revoked."""

    code = "signer-revoked"
    message = "The file is signed with a key that has been revoked."
    mend = "Sign with a valid key; ask your agency's administrator to enrol a new one if needed."


class SignerExpired(MessageRefused):
    """The signing key, or the certificate it belongs to, has expired."""

    code = "signer-expired"
    message = "The file is signed with a key that has expired."
    mend = "Extend the key's expiry date and enrol it again, or enrol and use a new key."


class SignatureFuture(MessageRefused):
    """The signature claims a time more than five minutes ahead."""

    code = "signature-future"
    message = "The signature is dated in the future."
    mend = "Set the clock of the signing computer, sign the package again and send it again."


class WeakHash(MessageRefused):
    """The signature rests on a hash function that can be forged."""

    code = "weak-hash"
    message = "The signature uses a hash function that is no longer safe."
    mend = "Sign again with SHA-256, SHA-384 or SHA-512 (gpg: --digest-algo SHA512)."


class WeakKey(MessageRefused):
    """The signing key is too short, or of a kind that is not taken."""

    code = "weak-key"
    message = "The file is signed with a key that is not strong enough."
    mend = "Use an Ed25519 key, or an RSA key of 3072 bits or more, and have it enrolled."


class WeakCipher(MessageRefused):
    """The message is encrypted with something else than AES."""

    code = "weak-cipher"
    message = "The file is encrypted with a cipher that is no longer safe."
    mend = "Encrypt again with AES (gpg: --cipher-algo AES256)."


class Bomb(MessageRefused):
    """The compressed content grows beyond all reason."""

    code = "bomb"
    message = "The file is compressed in an extreme way that the gateway does not open."
    mend = "Build the package again with the usual tools, and do not compress it more than once."


class TooLarge(MessageRefused):
    """The message or its content exceeds the limit."""

    code = "too-large"
    message = "The file is larger than the gateway takes."
    mend = "Split the return into several packages."


class Malformed(MessageRefused):
    """The packets do not form an OpenPGP message."""

    code = "malformed"
    message = "The file is not a well-formed OpenPGP message."
    mend = "Encrypt and sign the package again with current software, and send it as it is."


class Unsupported(MessageRefused):
    """Well-formed OpenPGP in a form that this gateway does not take."""

    code = "unsupported"
    message = "The file uses a form of OpenPGP that the gateway does not take."
    mend = "Use the settings in the submission guide; with gpg, the defaults are right."


class TrailingData(MessageRefused):
    """Bytes follow the end of the message."""

    code = "trailing-data"
    message = "There is more data after the end of the encrypted message."
    mend = "Send one encrypted message a file, with nothing before or after it."
