"""Pseudonymous linkage, scheme CTL1 (CTDS section 6): what stands in a record for who a child is.

Runs at the agency, which alone has names and the linkage key; the gateway sees tokens, and puts
others in their place (`pepper`). Pure: no file, no clock, no randomness. Each key is 32 octets.
Whoever has the linkage key can test a guessed name against tokens: it is never logged and never
leaves the agency.

    ValidatorsError
    └── NotRomanised     code "not-romanised": a name with letters that are not made A to Z
"""

from validators.linkage.clk import dice, linkage_filter
from validators.linkage.days import day
from validators.linkage.export import Export, Problem, Pseudonymised, Sources
from validators.linkage.names import NotRomanised, normalised, soundex
from validators.linkage.pepper import PEPPER_BYTES, Peppering, peppered
from validators.linkage.references import person_ref, record_id
from validators.linkage.tokens import KEY_BYTES, Identity, linkage_fields

__all__ = [
    "KEY_BYTES",
    "PEPPER_BYTES",
    "Export",
    "Identity",
    "NotRomanised",
    "Peppering",
    "Problem",
    "Pseudonymised",
    "Sources",
    "day",
    "dice",
    "linkage_fields",
    "linkage_filter",
    "normalised",
    "peppered",
    "person_ref",
    "record_id",
    "soundex",
]
