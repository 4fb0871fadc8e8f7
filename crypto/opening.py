"""Opening what a sender encrypted and signed: decrypt and verify, or raise. There is no half way.

Order: 1. structure and session key; 2. decryption to its end and modification check; 3. inner
structure; 4. signature policy; 5. the signature. Plaintext leaves this module only after 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from crypto.certificate import Certificate
from crypto.envelope import decrypt
from crypto.keyring import Keyring
from crypto.policy import Limits
from crypto.publickey import Fingerprint
from crypto.verdict import verify_signatures

_DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that is intact and signed by an expected sender. `plaintext` stands at 0."""

    plaintext: BinaryIO = field(repr=False)
    size: int
    signer: Certificate
    signing_key: Fingerprint
    signed_at: datetime
    filename: str = field(repr=False)


def open_message(
    source: BinaryIO,
    *,
    keyring: Keyring,
    senders: Sequence[Certificate],
    now: datetime,
    limits: Limits = _DEFAULT,
) -> Opened:
    """Decrypt and verify one message, armored or binary; raises MessageRefused.

    `senders` are the certificates that may have signed it, and no others.
    """
    contents = decrypt(source, keyring.decrypting, limits=limits)
    verified = verify_signatures(
        contents.plaintext.getvalue(), contents.signatures, senders=senders, now=now
    )
    return Opened(
        plaintext=contents.plaintext,
        size=contents.size,
        signer=verified.signer,
        signing_key=verified.signing_key,
        signed_at=verified.signed_at,
        filename=contents.filename.decode("utf-8", "replace"),
    )
