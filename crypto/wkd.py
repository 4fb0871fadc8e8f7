"""The name under which a Web Key Directory publishes a certificate.

draft-koch-openpgp-webkey-service section 3.1: z-base-32 of the SHA-1 of the local part, with ASCII
letters lowered. Fetches nothing.
"""

from hashlib import sha1

_ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"
_UPPER_TO_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def wkd_hash(local_part: str) -> str:
    """The 32 characters for the part of an address before its @."""
    lowered = local_part.translate(_UPPER_TO_LOWER).encode()
    number = int.from_bytes(sha1(lowered, usedforsecurity=False).digest(), "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(155, -1, -5))
