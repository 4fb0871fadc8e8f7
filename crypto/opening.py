"""Opening what a sender encrypted and signed: decrypt and verify, or raise. There is no half way.

Order: 1. structure and session key; 2. decryption to its end and modification check; 3. inner
structure; 4. signature policy; 5. the signature; 6. whom it was meant for. Plaintext stays in
scratch until 6 has passed, and memory is bounded whatever the size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from crypto.certificate import Certificate
from crypto.decrypting import MakeScratch, decrypt
from crypto.framing import Readable
from crypto.keyring import Keyring
from crypto.policy import Limits
from crypto.publickey import Fingerprint
from crypto.refusals import MeantForAnother
from crypto.scratch import Scratch
from crypto.verdict import Document, Verified, verify_signatures

_DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that is intact and signed by an expected sender, for its reader to close.

    `plaintext` stands at 0 and can be read and searched as a file; `decrypted_by` is the key of
    ours that the message was encrypted to.
    """

    plaintext: BinaryIO = field(repr=False)
    size: int
    signer: Certificate
    signing_key: Fingerprint
    signed_at: datetime
    decrypted_by: Fingerprint
    filename: str = field(repr=False)


def open_message(
    source: Readable,
    *,
    keyring: Keyring,
    senders: Sequence[Certificate],
    now: datetime,
    limits: Limits = _DEFAULT,
    make_scratch: MakeScratch = Scratch,
) -> Opened:
    """Decrypt and verify one message, armored or binary; raises MessageRefused.

    `senders` are the certificates that may have signed it, and no others.
    """
    contents, session = decrypt(source, keyring, limits=limits, make_scratch=make_scratch)
    try:
        document = Document(contents.digests, contents.plaintext.in_memory)
        verified = verify_signatures(document, contents.signatures, senders=senders, now=now)
        _require_meant_for(keyring, verified)
    except BaseException:
        contents.plaintext.close()
        raise
    return Opened(
        plaintext=contents.plaintext.reader(),
        size=contents.plaintext.size,
        signer=verified.signer,
        signing_key=verified.signing_key,
        signed_at=verified.signed_at,
        decrypted_by=session.unwrapped_by,
        filename=contents.filename.decode("utf-8", "replace"),
    )


def _require_meant_for(keyring: Keyring, verified: Verified) -> None:
    """Refuse what the sender signed for somebody else, who then encrypted it anew to us.

    Only programs that follow RFC 9580 section 5.2.3.36 say whom a signature is meant for.
    """
    if verified.intended and not set(verified.intended) & set(keyring.fingerprints):
        raise MeantForAnother(f"meant for {', '.join(verified.intended)}")
