"""The cryptographic linkage key: a Bloom filter of what a child is called and when it was born.

CTDS section 6.4. 1,024 bits, set by keyed hashes of pairs of letters, so that two filters are alike
where two names are, without either being legible to who lacks the key.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass

BITS = 1_024


@dataclass(frozen=True, slots=True)
class _Feature:
    """What is cut into grams of a size, each setting so many bits."""

    label: str
    text: str
    gram: int
    hashes: int


def linkage_filter(*, forenames: str, surname: str, born: str, sex: str, key: bytes) -> bytes:
    """Return the 128 octets for normalised names, a date `yyyy-mm-dd` and a sex F, M, I or U."""
    features = (
        _Feature("g", forenames.replace(" ", ""), 2, 20),
        _Feature("s", surname.replace(" ", ""), 2, 20),
        _Feature("d", born.replace("-", ""), 2, 16),
        _Feature("x", sex, 1, 10),
    )
    bits = 0
    for feature in features:
        for at in _positions(feature, key):
            bits |= 1 << (BITS - 1 - at)  # bit 0 is the top bit of the first octet
    return bits.to_bytes(BITS // 8, "big")


def dice(one: bytes, other: bytes) -> float:
    """Return the Dice coefficient of two filters: 1.0 for equal ones, 0.0 for nothing in common."""
    a, b = int.from_bytes(one, "big"), int.from_bytes(other, "big")
    total = a.bit_count() + b.bit_count()
    return 2 * (a & b).bit_count() / total if total else 0.0


def _positions(feature: _Feature, key: bytes) -> Iterator[int]:
    pad = "_" * (feature.gram - 1)
    text = f"{pad}{feature.text}{pad}"
    grams = {text[at : at + feature.gram] for at in range(len(text) - feature.gram + 1)}
    for gram in grams:
        digest = hmac.digest(key, f"CTL1|clk|{feature.label}|{gram}".encode(), "sha256")
        first = int.from_bytes(digest[:8], "big")
        step = int.from_bytes(digest[8:16], "big") | 1
        yield from ((first + each * step) % BITS for each in range(feature.hashes))
