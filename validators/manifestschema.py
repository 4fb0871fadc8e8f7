"""The marshmallow schema of the manifest (CTDS section 3).

Owns types, patterns and the choices between keys; says what is wrong in clauses that name keys and
never quote a value. Stricter than marshmallow's own fields: the text "true" is no boolean, true is
no number, and a date is exactly yyyy-mm-dd. The JSON Schema of the manifest is read off this one;
`shape` is what such a field is there.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from validators.filenames import (
    MANIFEST_NAME,
    RECORD_TYPES,
    is_package_name,
    is_workbook,
    record_type_of,
)
from validators.standard import Standard

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_HEX_64 = re.compile(r"[0-9a-f]{64}")
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{40}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_MAILBOX = re.compile(
    r"[A-Za-z0-9._+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}"
    r"[A-Za-z]{2,24}"
)
_LAWFUL_BASIS = re.compile(r"(PUBLIC_TASK|LEGAL_OBLIGATION|LEGITIMATE_INTEREST)(: [^\n]{1,500})?")
_ARMOR = re.compile(
    r"-----BEGIN PGP SIGNATURE-----\r?\n[\x20-\x7e\r\n]+-----END PGP SIGNATURE-----\s*"
)

_MEDIA_TYPES = {
    "csv": frozenset({"text/csv"}),
    "jsonl": frozenset({"application/jsonl", "application/x-ndjson", "application/x-jsonlines"}),
    "xml": frozenset({"application/xml", "text/xml"}),
    "xlsx": frozenset({"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}),
    "ods": frozenset({"application/vnd.oasis.opendocument.spreadsheet"}),
}
_ATTACHMENT_MEDIA_TYPES = frozenset(
    {
        "application/pdf",
        "text/plain",
        "text/markdown",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    }
)
_PUBLIC_DOMAINS = (
    *("gov.uk", "police.uk", "nhs.uk"),
    *("gov.scot", "nhs.scot", "gov.wales", "llyw.cymru", "nhs.wales", "hscni.net"),
)
# Where anyone may take a mailbox, a report about children must not be sent.
_ANYONES_DOMAINS = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "hotmail.co.uk"),
        *("live.com", "live.co.uk", "yahoo.com", "yahoo.co.uk", "icloud.com", "me.com"),
        *("aol.com", "btinternet.com", "sky.com", "proton.me", "protonmail.com"),
    }
)
_VOLUNTARY = frozenset({"NGO", "GUARD"})
_MOST_ROWS = 10_000_000


class _Int(fields.Field[int]):
    shape: ClassVar = {"type": "integer"}

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> int:
        if type(value) is not int:
            raise ValidationError("must be a whole number")
        return value


class _Bool(fields.Field[bool]):
    shape: ClassVar = {"type": "boolean"}

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("must be true or false")
        return value


class _Date(fields.Field[date]):
    shape: ClassVar = {"type": "string", "format": "date", "pattern": f"^{_DATE.pattern}$"}

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> date:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValidationError("must be a date as yyyy-mm-dd")
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValidationError("must be a date of the calendar") from None


class _DateTime(fields.Field[datetime]):
    shape: ClassVar = {"type": "string", "format": "date-time", "pattern": f"^{_DATETIME.pattern}$"}

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _DATETIME.fullmatch(value):
            raise ValidationError("must be a time with offset (RFC 3339)")
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            raise ValidationError("must be a time of the calendar") from None


@dataclass(frozen=True, slots=True)
class Matches:
    """Takes a text that has the pattern from end to end, and says otherwise in a clause."""

    pattern: re.Pattern[str]
    clause: str

    def __call__(self, value: str) -> None:
        # fullmatch, because `$` would let a trailing line end through.
        if not self.pattern.fullmatch(value):
            raise ValidationError(self.clause)


def _plain(value: str) -> None:
    if _CONTROL.search(value):
        raise ValidationError("holds control characters")


def _text(most: int, **kwargs: Any) -> fields.String:
    length = validate.Length(min=1, max=most, error=f"must have 1 to {most} characters")
    return fields.String(**{"required": True, "validate": [length, _plain], **kwargs})


def _uuid(**kwargs: Any) -> fields.String:
    return fields.String(validate=Matches(_UUID, "must be a UUID in lower case"), **kwargs)


def _one_of(choices: str) -> fields.String:
    known = choices.split()
    error = "must be one of " + ", ".join(known)
    return fields.String(required=True, validate=validate.OneOf(known, error=error))


def _count(most: int, **kwargs: Any) -> _Int:
    between = validate.Range(min=0, max=most, error=f"must be from 0 to {most:,}")
    return _Int(**{"required": True, "validate": between, **kwargs})


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class _FileSchema(_Strict):
    name = fields.String(required=True)
    record_type = fields.String(load_default=None, allow_none=True)
    media_type = fields.String(required=True)
    sha256 = fields.String(
        required=True, validate=Matches(_HEX_64, "must be 64 lower-case hexadecimal digits")
    )
    bytes = _count(1 << 30)
    rows = _count(_MOST_ROWS, required=False, allow_none=True, load_default=None)

    @validates_schema
    def _fits_its_name(self, data: Mapping[str, Any], **_kwargs: Any) -> None:
        name = data["name"]
        if not is_package_name(name) or name == MANIFEST_NAME:
            raise ValidationError("is not a name that a package may hold", "name")
        if data["record_type"] != record_type_of(name):
            raise ValidationError("does not fit the name", "record_type")
        if (data["rows"] is None) != (data["record_type"] is None):
            raise ValidationError("is given for record files, and for them only", "rows")
        ending = name.rpartition(".")[2]
        holds_records = data["record_type"] is not None or is_workbook(name)
        known = _MEDIA_TYPES[ending] if holds_records else _ATTACHMENT_MEDIA_TYPES
        if data["media_type"] not in known:
            raise ValidationError("does not fit the name", "media_type")


class _ContactSchema(_Strict):
    role = _text(100)
    team = _text(100)
    mailbox = _text(200)

    @validates_schema
    def _is_an_address(self, data: Mapping[str, Any], **_kwargs: Any) -> None:
        if not _MAILBOX.fullmatch(data["mailbox"]):
            raise ValidationError("must be an e-mail address", "mailbox")


class _SignOffSchema(_Strict):
    role = _text(100)
    date = _Date(required=True)


class _CoverageSchema(_Strict):
    units_expected = _count(100_000)
    units_reporting = _count(100_000)
    known_gaps = fields.String(
        load_default="", validate=[validate.Length(max=2000, error="is too long"), _plain]
    )

    @validates_schema
    def _no_more_than_expected(self, data: Mapping[str, Any], **_kwargs: Any) -> None:
        if data["units_reporting"] > data["units_expected"]:
            raise ValidationError("is more than units_expected", "units_reporting")


class ManifestSchema(_Strict):
    """All keys of section 3. The two code lists come from the standard's data."""

    standard = _one_of("CTDS")
    standard_version = _text(10)
    submission_id = _uuid(required=True)
    submission_type = _one_of("RETURN REPLACEMENT LATE TEST")
    replaces = _uuid(load_default=None, allow_none=True)
    agency_id = _text(40)
    agency_type = _text(20)
    period_type = _one_of("MONTH QUARTER YEAR")
    period_start = _Date(required=True)
    period_end = _Date(required=True)
    created_at = _DateTime(required=True)
    software = _text(200, required=False, load_default=None, allow_none=True)
    nil_return = _Bool(required=True)
    record_counts = fields.Dict(
        keys=_one_of(" ".join(RECORD_TYPES)), values=_count(_MOST_ROWS), required=True
    )
    files = fields.List(
        fields.Nested(_FileSchema),
        required=True,
        validate=validate.Length(max=200, error="lists too many files"),
    )
    link_scheme = _text(20)
    contact = fields.Nested(_ContactSchema, required=True)
    sign_off = fields.Nested(_SignOffSchema, required=True)
    coverage = fields.Nested(_CoverageSchema, required=True)
    lawful_basis = fields.String(
        required=True,
        validate=Matches(
            _LAWFUL_BASIS,
            "must be PUBLIC_TASK, LEGAL_OBLIGATION or LEGITIMATE_INTEREST, or 'CODE: condition'",
        ),
    )
    retention_class = fields.String(
        load_default="STANDARD",
        validate=validate.OneOf(["STANDARD", "SHORT"], error="must be STANDARD or SHORT"),
    )
    gateway = fields.String(
        load_default=None,
        allow_none=True,
        validate=Matches(_FINGERPRINT, "must be a fingerprint of 40 hexadecimal digits"),
    )
    signature = fields.String(
        required=True,
        validate=[
            validate.Length(max=20_000, error="is too long"),
            Matches(_ARMOR, "must be an ASCII-armored OpenPGP signature"),
        ],
    )

    def __init__(self, standard: Standard) -> None:
        super().__init__()
        self._codelists = standard.codelists

    @validates_schema
    def _codes_are_known(self, data: Mapping[str, Any], **_kwargs: Any) -> None:
        for key, codelist in (("agency_type", "CL_AGENCY_TYPE"), ("link_scheme", "CL_LINK_SCHEME")):
            if data[key] not in self._codelists[codelist].items:
                raise ValidationError(f"is not in {codelist}", key)

    @validates_schema
    def _replacement_names_what_it_replaces(self, data: Mapping[str, Any], **_kwargs: Any) -> None:
        if (data["submission_type"] == "REPLACEMENT") != (data["replaces"] is not None):
            raise ValidationError("is given with REPLACEMENT, and with it only", "replaces")

    @validates_schema
    def _names_each_file_once(self, data: Mapping[str, Any], **_kwargs: Any) -> None:
        names = [each["name"] for each in data["files"]]
        if len(set(names)) != len(names):
            raise ValidationError("lists a file twice", "files")

    @validates_schema
    def _basis_is_open_to_agency(self, data: Mapping[str, Any], **_kwargs: Any) -> None:
        interest = data["lawful_basis"].startswith("LEGITIMATE_INTEREST")
        if interest and data["agency_type"] not in _VOLUNTARY:
            raise ValidationError("LEGITIMATE_INTEREST is for NGOs only", "lawful_basis")

    @validates_schema
    def _mailbox_is_an_agencys(self, data: Mapping[str, Any], **_kwargs: Any) -> None:
        domain = data["contact"]["mailbox"].rpartition("@")[2].lower()
        public = any(domain == end or domain.endswith(f".{end}") for end in _PUBLIC_DOMAINS)
        voluntary = data["agency_type"] in _VOLUNTARY and domain not in _ANYONES_DOMAINS
        if not public and not voluntary:
            raise ValidationError({"mailbox": ["must be on the agency's own domain"]}, "contact")


def faults_of(schema: Schema, raw: Mapping[str, Any]) -> list[str]:
    """Return what is wrong as clauses such as "contact.mailbox is required", in order of keys."""
    faults = list(_clauses(schema.validate(raw), ""))
    return sorted(set(faults))[:50]


_KEYS = frozenset(
    name
    for schema in (ManifestSchema, _FileSchema, _ContactSchema, _SignOffSchema, _CoverageSchema)
    for name in schema._declared_fields
)
_REWORDED = {
    "Missing data for required field.": "is required",
    "Field may not be null.": "is required",
    "Unknown field.": "is not a key of the manifest",
    "Not a valid string.": "must be text",
    "Not a valid list.": "must be a list",
    "Not a valid mapping type.": "must be an object",
    "Invalid input type.": "must be an object",
}


def _clauses(errors: Any, path: str) -> Iterator[str]:
    if isinstance(errors, Mapping):
        for key, inner in errors.items():
            yield from _clauses(inner, _joined(path, key))
    else:
        for message in errors if isinstance(errors, list) else [errors]:
            yield f"{path or 'the manifest'} {_REWORDED.get(message, message)}"


def _joined(path: str, key: object) -> str:
    # Positions are counted from 1 for people; a key that is not ours is not repeated.
    if isinstance(key, int):
        return f"{path}[{key + 1}]"
    if key in ("_schema", "key", "value"):
        return path
    name = str(key) if key in _KEYS or key in RECORD_TYPES else "a key"
    return f"{path}.{name}" if path else name
