"""A grid of rows at the boundaries of every field, made from the standard's own data.

Each row is a good one with one cell changed: to every code of its lists and to what is nearly one,
to both sides of every limit, and to what other programs write for the same thing.
"""

import hashlib
from collections.abc import Iterator
from functools import cache

from tests.validators import samples, stories
from validators.standard import Field, Standard, load_standard

STANDARD = load_standard()

_ANYWHERE = (
    *("", " ", "  ", "\t", "0", "00", "-0", "-1", "+5", "1_0", "1e2", "1.0", "1.00", "1.000"),
    *("NaN", "Infinity", "999999999999999999999", "\u0661\u0662", "\uff11", "null", "None", "N/A"),
    *("true", "false", "TRUE", "True", "yes", "Y", "UNK", "unk", "NCL", "WHD", "REF", "UNK;NCL"),
    *("2026-02-09", "2026-02-30", "2024-02-29", "2023-02-29", "1990-01-01", "2026-2-9"),
    *("20260209", "2026-W07-1", "09/02/2026", "2026-02-09 ", " 2026-02-09", "2026-02-09T00:00:00"),
    *("2026", "2026-02", "2026-13", "2026-00", "0000-01-01", "1989-12-31", "2026-04-10"),
    *("9999-12-31", "2026-04-11", "2026-04", "2026-05"),
    *("x\x00", "\ufeffx", "\u200b", "e\u0301", "\u202ex", "=1+1", "@x", "-x", "+x", "a;a", ";"),
    *("07700 900123", "sw1a 1aa", "name@example.org", "943 476 5919", "QQ 12 34 56 C"),
    *("0f6d0b4e-6a3c-4c1e-9f55-1d2f6a1b0c01", "0F6D0B4E-6A3C-4C1E-9F55-1D2F6A1B0C01"),
    *("0f6d0b4e-6a3c-1c1e-9f55-1d2f6a1b0c01", "0" * 64, "ab" * 32, "AB" * 32, stories.token(1)),
    "0f6d0b4e-6a3c-4c1e-9f55-1d2f6a1b0c01x",
    *(stories.token(1).upper(), stories.token(1)[:63], hashlib.sha256(b"").hexdigest()),
    *(digits * 16 for digits in ("369c", "069c", "039c", "036c", "0369", "0123")),
    *("9434765919", "943-476-5919", "07700900123", "AB123456C", "AB-123456C", "P-SW1A1AA"),
)  # fmt: skip


@cache
def good_rows() -> dict[str, dict[str, str]]:
    """A good row of each record type."""
    return {
        "CASE": stories.case(),
        "EXPL": stories.expl(),
        "DECN": stories.decn(),
        "MISS": stories.miss(),
        "GUAR": stories.guar(),
        "CARE": stories.care(),
        "JUST": stories.just(),
        "ACTV": stories.actv(),
        "NARR": stories.narr(),
    }


def grid(standard: Standard = STANDARD) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each record type and row of the grid."""
    for kind, good in good_rows().items():
        for field in standard.records[kind].fields:
            for value in dict.fromkeys(_values(field, standard)):
                yield kind, {**good, field.name: value}


def _values(field: Field, standard: Standard) -> Iterator[str]:
    yield from _ANYWHERE
    for code in sorted(standard.allowed_codes(field)):
        yield from (code, f"{code} ", code.lower(), f"{code};{code}", f"{code};UNK", code[:-1])
    for limit in (field.minimum, field.maximum):
        if limit is not None:
            yield from (str(limit - 1), str(limit), str(limit + 1), f"{limit}.0")
            if limit < 30_000:
                yield from ("a" * (limit - 1), "a" * limit, "a" * (limit + 1), "\U0001f600" * limit)
    source = samples.rng(len(field.name))
    yield from ("".join(source.choices("aZ09;-. é", k=source.randrange(12))) for _ in range(20))
