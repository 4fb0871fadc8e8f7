"""The manifest of a package (CTDS section 3): strict JSON in, one typed and frozen value out.

Owns CT-001 (every key present and of its type) and CT-002 (the standard and its version). Unknown
keys are refused, for a key that the gateway ignores is a key that its sender believes in. Findings
name keys of the standard and say what is wrong in our own words.
It does not judge agency, period or files: that is `rules.submission`.

    ValidatorsError
    ├── ManifestRefused              code "manifest-refused": carries one finding for each fault
    └── ManifestSignatureRefused     code of whoever verified: the agency did not sign this manifest
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import rfc8785

from validators.errors import ValidatorsError
from validators.filenames import MANIFEST_NAME
from validators.findings import Finding, finding
from validators.manifestschema import ManifestSchema, faults_of
from validators.standard import Standard, Standards, newest
from validators.strictjson import JsonRefused, Written, is_unicode, load_object


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One listed file; record_type and rows are None for an attachment."""

    name: str
    record_type: str | None
    media_type: str
    sha256: str
    bytes: int
    rows: int | None


@dataclass(frozen=True, slots=True)
class Contact:
    role: str
    team: str
    mailbox: str


@dataclass(frozen=True, slots=True)
class SignOff:
    role: str
    date: date


@dataclass(frozen=True, slots=True)
class Coverage:
    units_expected: int
    units_reporting: int
    known_gaps: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the sender declares about one submission; `raw` is the JSON as it was sent."""

    standard: str
    standard_version: str
    submission_id: UUID
    submission_type: str
    replaces: UUID | None
    agency_id: str
    agency_type: str
    period_type: str
    period_start: date
    period_end: date
    created_at: datetime
    software: str | None
    nil_return: bool
    record_counts: Mapping[str, int]
    files: tuple[ManifestFile, ...]
    link_scheme: str
    contact: Contact
    sign_off: SignOff
    coverage: Coverage
    lawful_basis: str
    retention_class: str
    gateway: str | None
    signature: str
    raw: Mapping[str, Any]

    def file(self, name: str) -> ManifestFile | None:
        """Return the listed file of this name."""
        return next((each for each in self.files if each.name == name), None)


class ManifestRefused(ValidatorsError):
    """The manifest cannot be used; the findings say why."""

    code = "manifest-refused"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("the manifest cannot be used")
        self.findings = tuple(findings)


class ManifestSignatureRefused(ValidatorsError):
    """Raised by the caller's verifier; `code` says in its terms why the signature is refused."""

    def __init__(self, code: str) -> None:
        super().__init__("the signature of the manifest is refused")
        self.code = code


def incomplete(detail: str) -> Finding:
    """Return a CT-001 finding; `detail` is our own clause, never text of the sender."""
    return finding("CT-001", file=MANIFEST_NAME, detail=detail)


def read_manifest(data: bytes) -> dict[str, Any]:
    """Parse the bytes of manifest.json strictly; raises ManifestRefused."""
    try:
        raw = load_object(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ManifestRefused([incomplete("it is not UTF-8 text")]) from None
    except JsonRefused as refused:
        raise ManifestRefused([incomplete(refused.reason)]) from None
    texts = _texts(raw)
    if not all(map(is_unicode, texts)):
        raise ManifestRefused([incomplete("a text holds half a surrogate pair")])
    # Read as text it would pass for one, and be signed as the number that it is.
    if any(isinstance(text, Written) for text in texts):
        raise ManifestRefused([incomplete("a number stands where no key has one like it")])
    return raw


def standard_of(raw: Mapping[str, Any], standards: Standards) -> Standard:
    """Return the version that a manifest names; raises ManifestRefused where it is none of these.

    A manifest that does not name one as text is the newest's to find fault with.
    """
    name, version = raw.get("standard"), raw.get("standard_version")
    if not isinstance(name, str) or not isinstance(version, str):
        return newest(standards)
    found = standards.get(version)
    if found is None or found.name != name:
        accepted = ", ".join(each.label for each in standards.values())
        detail = f"this gateway accepts {accepted}"
        given = f"you sent {name} {version}"[:50]
        raise ManifestRefused([finding("CT-002", file=MANIFEST_NAME, detail=detail, given=given)])
    return found


def load_manifest(raw: Mapping[str, Any], *, standard: Standard) -> Manifest:
    """Check a parsed manifest and return it typed; raises ManifestRefused with every fault."""
    schema = ManifestSchema(standard)
    faults = faults_of(schema, raw)
    if faults:
        raise ManifestRefused([incomplete(fault) for fault in faults])
    return _typed(schema.load(raw), raw)


def canonical_manifest(raw: Mapping[str, Any]) -> bytes:
    """Return the bytes that the agency signs: RFC 8785 JSON of the manifest without `signature`."""
    try:
        return rfc8785.dumps({key: value for key, value in raw.items() if key != "signature"})
    except (rfc8785.CanonicalizationError, RecursionError):
        raise ManifestRefused([incomplete("it has no canonical form")]) from None


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _texts(part)]
    return []


def _typed(loaded: Mapping[str, Any], raw: Mapping[str, Any]) -> Manifest:
    replaces = loaded["replaces"]
    parts = {
        "raw": raw,
        "submission_id": UUID(loaded["submission_id"]),
        "replaces": None if replaces is None else UUID(replaces),
        "files": tuple(ManifestFile(**each) for each in loaded["files"]),
        "contact": Contact(**loaded["contact"]),
        "sign_off": SignOff(**loaded["sign_off"]),
        "coverage": Coverage(**loaded["coverage"]),
    }
    return Manifest(**{**loaded, **parts})
