"""What a file is called: by its sender, and on this machine's disk, where nobody may read it.

A sender may name a file after a child. So the name is kept only encrypted, always in the same way
(AES-SIV, RFC 5297): the next session finds the file again by the same name.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha512
from hmac import digest

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

LONGEST = 120
"""Octets of a name; encrypted and in letters it must still fit into a directory entry."""

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f/\\]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def fit(name: bytes) -> str | None:
    """A name as text, or None where no file may be called so."""
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not text or text in {".", ".."} or len(name) > LONGEST or _UNFIT.search(text):
        return None
    return text


class Names:
    """Hides names under a key that is derived from a secret of the gateway."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESSIV(digest(secret, b"ctds sftp names v1", sha512))

    def hide(self, name: str, *, of: str) -> str:
        """The name of a file on disk; the same name of another agency looks different."""
        hidden = self._cipher.encrypt(name.encode(), [of.encode()])
        return urlsafe_b64encode(hidden).decode("ascii").rstrip("=")

    def show(self, hidden: str, *, of: str) -> str | None:
        """The name that was hidden; None for what is not ours."""
        try:
            octets = urlsafe_b64decode(hidden + "=" * (-len(hidden) % 4))
            return self._cipher.decrypt(octets, [of.encode()]).decode()
        except (ValueError, InvalidTag):
            return None
