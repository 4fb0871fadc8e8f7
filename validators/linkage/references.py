"""What stands for a child, and for a record about it, in place of the agency's own numbers.

Both come from the agency's salt by HMAC-SHA-256: the same for ever from the same number, so that a
record keeps its id from one quarter to the next, and nothing to who lacks the salt. A record id has
the form of UUID version 4 (RFC 9562), the only one that the standard takes: 122 of its bits are the
hash's, as random to a stranger as those of a random one.
"""

import hmac
from uuid import UUID

_REFERENCE_DIGITS = 32


def person_ref(local_id: str, *, salt: bytes) -> str:
    """Return the pseudonym of the child that the agency knows by this number."""
    return _digest(f"CTDS|person_ref|{local_id}", salt).hex()[:_REFERENCE_DIGITS]


def record_id(record_type: str, local_id: str, *parts: str, salt: bytes) -> str:
    """Return the id of the record of this type about a child that these parts tell from others."""
    # A length before each part: no two lists of parts come to one text.
    told = "".join(f"|{len(part)}:{part}" for part in (record_type, local_id, *parts))
    return str(UUID(bytes=_digest(f"CTDS|record_id{told}", salt)[:16], version=4))


def _digest(text: str, salt: bytes) -> bytes:
    return hmac.digest(salt, text.encode(), "sha256")
