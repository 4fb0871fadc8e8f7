"""What the standard is made of: record types, fields, code lists, rules and the agency register.

Plain values without behaviour of their own, read from the published data by `standard`. They are
compared by identity, so that a schema can be kept for the standard that it was built from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a record type.

    `minimum` and `maximum` bound a number, or the characters of a string or text. `combines` names
    the list whose codes may be joined with "+". `sentinels` allows the missing-value codes.
    """

    name: str
    type: str
    required: str
    values: str
    privacy: str
    note: str
    codelists: tuple[str, ...] = ()
    extra_codes: tuple[str, ...] = ()
    excluded_codes: tuple[str, ...] = ()
    combines: str | None = None
    pattern: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    max_codes: int | None = None
    sentinels: bool = False


@dataclass(frozen=True, eq=False)
class RecordType:
    """One kind of record, such as CASE, with its fields in the order of the columns."""

    code: str
    title: str
    purpose: str
    fields: tuple[Field, ...]

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    @cached_property
    def header(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self._by_name)

    def field(self, name: str) -> Field:
        """Return the field of this name; raises KeyError."""
        return self._by_name[name]


@dataclass(frozen=True, slots=True, eq=False)
class CodeList:
    """One list of codes: labels by code, and the rows with every column as published."""

    code: str
    title: str
    items: Mapping[str, str]
    rows: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class RuleText:
    """One rule as published; `redacted` is the message that repeats nothing an agency sent.

    `mends` are further ways to say how to mend it: by the type of the column, or with codes of the
    column for `{codes}`: "few" for a column of few codes, "absent" for one that has codes for no
    answer.
    """

    code: str
    severity: str
    level: str
    applies: str
    test: str
    message: str
    mend: str
    redacted: str
    mends: Mapping[str, str] = field(default_factory=dict)
    clause: str = "8"


@dataclass(frozen=True, slots=True)
class Agency:
    """One row of the register; `area` is a code or one of the words of section 5."""

    agency_id: str
    name: str
    agency_type: str
    first_responder: bool
    area: str


@dataclass(frozen=True, slots=True)
class ManifestKey:
    """One key of the manifest (section 3)."""

    name: str
    type: str
    required: str
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class Standard:
    """One published version of the standard."""

    name: str
    version: str
    records: Mapping[str, RecordType]
    codelists: Mapping[str, CodeList]
    rules: Mapping[str, RuleText]
    manifest_keys: tuple[ManifestKey, ...]
    prohibited: tuple[str, ...]
    agencies: Mapping[str, Agency]

    @property
    def label(self) -> str:
        """Name and version as people write them: "CTDS 1.0"."""
        return f"{self.name} {self.version}"

    @property
    def path(self) -> str:
        """Where a gateway publishes this version."""
        return f"/standard/{self.version}"

    def rule_path(self, code: str) -> str:
        """Where a gateway explains a rule."""
        return f"{self.path}/rules#{code}"

    @property
    def absent(self) -> Mapping[str, str]:
        """The codes that say that there is no answer, and what each says of why."""
        return self.codelists["CL_SENTINEL"].items

    def allowed_codes(self, field: Field) -> frozenset[str]:
        """Return every code that a code field takes, missing-value codes included.

        Empty for a field whose codes are given by a pattern alone.
        """
        codes = {code for name in field.codelists for code in self.codelists[name].items}
        codes -= set(field.excluded_codes)
        codes |= set(field.extra_codes)
        if field.combines is not None:
            codes |= _combined(self.codelists[field.combines].items)
        if field.sentinels:
            codes |= set(self.absent)
        return frozenset(codes)

    def absent_in(self, field: Field) -> Mapping[str, str]:
        """Return the missing-value codes that a field takes, and what each says of why."""
        known = self.allowed_codes(field)
        if _COUNTRIES in field.codelists:
            known -= {_NEW_CALEDONIA}
        return {code: why for code, why in self.absent.items() if code in known}

    def alone_in(self, field: Field) -> frozenset[str]:
        """Return the codes that stand alone in a field of several (CT-018)."""
        return frozenset(self.absent_in(field)) | (self.allowed_codes(field) & {"NONE"})


_COUNTRIES, _NEW_CALEDONIA = "CL_COUNTRY", "NCL"


def _combined(codes: Mapping[str, str]) -> set[str]:
    parts = sorted(set(codes) - {"UNK"})
    sizes = range(1, len(parts) + 1)
    return {"+".join(chosen) for size in sizes for chosen in combinations(parts, size)}
