"""What the gateway makes of a linkage token on receipt: CTDS section 6.2, `K_G`.

The received token is a name under a key that every agency has; what stands in its place is that
token under a key that only the gateway has. So neither an agency nor a stolen linkage key can look
for a child in what is kept. Pure, and without the gateway: who holds the pepper, and who checks the
vectors of it, comes to the same octets.
"""

import hmac
from collections.abc import Mapping
from typing import Any

from validators.standard import RecordType

PEPPER_BYTES = 32
"""As long as the digest: a shorter one would be the weakest part, a longer one is hashed first."""

_SCHEME = "CTL1|gw"
_DIGEST = "hex64"


def peppered(field: str, token: str, *, pepper: bytes) -> str:
    """Return what stands for a received token of this field: 64 lower-case hexadecimal digits.

    Raises ValueError for a pepper of another length.
    """
    if len(pepper) != PEPPER_BYTES:
        raise ValueError(f"a pepper has {PEPPER_BYTES} octets")
    return hmac.digest(pepper, f"{_SCHEME}|{field}|{token}".encode(), "sha256").hex()


class Peppering:
    """Replaces what a record of one type has for linkage, as its standard names it."""

    def __init__(self, kind: RecordType, *, pepper: bytes) -> None:
        linking = [field for field in kind.fields if field.privacy == "L"]
        self._tokens = [field.name for field in linking if field.type == _DIGEST]
        self._filters = [field.name for field in linking if field.type != _DIGEST]
        self._pepper = pepper

    def replaced(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record with its tokens peppered, and without any Bloom filter.

        A filter cannot be peppered and still be compared: it is left out (CHANGELOG of CTDS 1.0).
        """
        kept = {name: value for name, value in record.items() if name not in self._filters}
        for name in self._tokens:
            if kept.get(name) is not None:
                kept[name] = peppered(name, kept[name], pepper=self._pepper)
        return kept
