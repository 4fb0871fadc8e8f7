"""The gateway's pepper at work: keyed hashes to look up by, and facts that only a worker reads.

One secret of 32 octets (`K_G`, CTDS section 6.2). Tokens are hashed under it as the standard says;
everything else has a key of its own derived from it, so that the database without the pepper tells
neither who a child is, nor which record a row is of, nor what it says.
"""

import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any

from crypto import Cells, derived
from validators.linkage import Peppering, peppered
from validators.standard import RecordType

HASH_BYTES = 16
"""What is kept of a hash: 128 bits, under which no two of a billion are the same by chance."""

_BLOCK = 96
"""Facts are padded to as many octets: their length shall not say whether there is a date."""


class Pepper:
    """The pepper of one gateway; `name` tells it from others and tells nothing of it."""

    def __init__(self, secret: bytes, *, random_bytes: Callable[[int], bytes]) -> None:
        self._secret = secret
        self._place_key = derived(secret, "CTL1|gw|place")
        self._cells = Cells(derived(secret, "CTL1|gw|facts"), random_bytes=random_bytes)
        self.name = derived(secret, "CTL1|gw|name")[:HASH_BYTES]

    def peppering(self, kind: RecordType) -> Peppering:
        """What turns received records of a type into those that are kept."""
        return Peppering(kind, pepper=self._secret)

    def token(self, field: str, token: str) -> bytes:
        """The hash under which a received token is looked up."""
        return hash_of(peppered(field, token, pepper=self._secret))

    def place(self, *parts: str) -> bytes:
        """The hash that stands for a record, a case or a total of an agency."""
        text = json.dumps(parts).encode()  # as JSON no two lists of parts are one text
        return hmac.digest(self._place_key, text, "sha256")[:HASH_BYTES]

    def seal(self, facts: Sequence[Any], *, place: bytes) -> bytes:
        """Encrypt facts for one place."""
        text = json.dumps(facts).encode()
        return self._cells.seal(text.ljust(-(-len(text) // _BLOCK) * _BLOCK), place=place)

    def open(self, sealed: bytes, *, place: bytes) -> list[Any]:
        """Decrypt facts; raises CellDamaged where they were sealed for another place."""
        facts: list[Any] = json.loads(self._cells.open(sealed, place=place))
        return facts


def hash_of(peppered_token: str) -> bytes:
    """The hash under which a token is looked up that was peppered already."""
    return bytes.fromhex(peppered_token)[:HASH_BYTES]
