"""The manifest: what a sender's tool may write, and what it may not."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.validators import samples
from validators.manifest import (
    Manifest,
    ManifestRefused,
    canonical_manifest,
    load_manifest,
    read_manifest,
    standard_of,
)
from validators.standard import load_standard, load_standards

STANDARD = load_standard()
GOOD: dict[str, Any] = dict(samples.package(STANDARD, samples.children(2)).manifest)


def loaded(raw: dict[str, Any]) -> Manifest:
    read = read_manifest(json.dumps(raw).encode())
    return load_manifest(read, standard=standard_of(read, load_standards()))


def details(data: bytes) -> list[str]:
    with pytest.raises(ManifestRefused) as refused:
        load_manifest(read_manifest(data), standard=STANDARD)
    assert {found.rule for found in refused.value.findings} == {"CT-001"}
    return [found.values["detail"] for found in refused.value.findings]


def changed(path: str, value: object) -> dict[str, Any]:
    """The good manifest with one value set, at a path such as "files.0.rows"."""
    raw = deepcopy(GOOD)
    *parents, last = path.split(".")
    at: Any = raw
    for part in parents:
        at = at[int(part)] if isinstance(at, list) else at[part]
    at[last] = value
    return raw


def test_manifest_is_typed() -> None:
    manifest = loaded(GOOD)
    assert manifest.submission_id == UUID(GOOD["submission_id"])
    assert (manifest.period_start, manifest.period_end) == (date(2026, 1, 1), date(2026, 3, 31))
    assert manifest.created_at == datetime(2026, 4, 9, 10, 30, tzinfo=UTC)
    assert manifest.record_counts["CASE"] == 2
    assert manifest.retention_class == "STANDARD"
    listed = manifest.file("EXPL.csv")
    assert listed is not None
    assert (listed.record_type, listed.rows) == ("EXPL", 2)
    assert manifest.raw == GOOD


@pytest.mark.parametrize("key", sorted(set(GOOD)))
def test_each_required_key_is_asked_for(key: str) -> None:
    raw = {name: value for name, value in GOOD.items() if name != key}
    assert details(json.dumps(raw).encode()) == [f"{key} is required"]


REFUSED: list[tuple[str, object, str]] = [
    ("submission_id", "0922e397-eba4-59ed-ac4a-45f8d575e516", "submission_id must be a UUID"),
    ("submission_id", GOOD["submission_id"].upper(), "submission_id must be a UUID"),
    ("submission_id", GOOD["submission_id"] + "\n", "submission_id must be a UUID"),
    ("submission_id", 5, "submission_id must be text"),
    ("submission_type", "return", "submission_type must be one of"),
    ("submission_type", "REPLACEMENT", "replaces is given with"),
    ("replaces", GOOD["submission_id"], "replaces is given with"),
    ("agency_type", "POLICEMEN", "agency_type is not in CL_AGENCY_TYPE"),
    ("period_start", "2026-02-30", "period_start must be a date of the calendar"),
    ("period_start", "20260101", "period_start must be a date as"),
    ("period_start", "\u0662\u0660\u0662\u0666-01-01", "period_start must be a date as"),
    ("period_start", "0000-00-00", "period_start must be a date of"),
    ("created_at", "2026-04-09T10:30:00", "created_at must be a time with offset"),
    ("created_at", "2026-04-09T25:30:00Z", "created_at must be a time of"),
    ("created_at", "2026-04-09T10:30:00+99:99", "created_at must be a time of"),
    ("nil_return", "false", "nil_return must be true or false"),
    ("nil_return", 0, "nil_return must be true or false"),
    ("record_counts.CASE", True, "record_counts.CASE must be a whole number"),
    ("record_counts.CASE", "2", "record_counts.CASE must be a whole number"),
    ("record_counts.CASE", -1, "record_counts.CASE must be from 0"),
    ("record_counts.CASE", 1e400, "the text is not valid JSON"),
    ("record_counts.PEOPLE", 1, "record_counts.a key must be one of"),
    ("record_counts", [], "record_counts must be an object"),
    ("files", {}, "files must be a list"),
    ("files", [GOOD["files"][0]] * 2, "files lists a file twice"),
    ("files", [GOOD["files"][0]] * 201, "files lists too many files"),
    ("files", ["CASE.csv"], "files[1] must be an object"),
    ("files.0.name", "../CASE.csv", "files[1].name is not a name"),
    ("files.0.name", "manifest.json", "files[1].name is not a name"),
    ("files.0.record_type", "EXPL", "files[1].record_type does not fit"),
    ("files.0.rows", None, "files[1].rows is given for record files"),
    ("files.0.media_type", "application/pdf", "files[1].media_type does not fit"),
    ("files.0.sha256", "F" * 64, "files[1].sha256 must be 64"),
    ("files.0.bytes", 2**53, "files[1].bytes must be from 0"),
    ("link_scheme", "CTL9-1999", "link_scheme is not in CL_LINK_SCHEME"),
    ("contact", "data@agency.gov.uk", "contact must be an object"),
    ("contact.mailbox", "data@gmail.com", "contact.mailbox must be on the agency"),
    ("standard_version", 1.0, "a number stands where no key has one like it"),
    ("software", 10**30, "a number stands where no key has one like it"),
    ("contact.mailbox", "data@evilgov.uk", "contact.mailbox must be on the agency"),
    ("contact.mailbox", "nobody", "contact.mailbox must be an e-mail address"),
    ("contact.mailbox", "a@gov.uk\nBcc: b@gov.uk", "contact.mailbox must be an e-mail"),
    ("contact.name", "Jane Example", "contact.name is not a key"),
    ("contact.role", "\u202egnp.exe", "contact.role holds control characters"),
    ("sign_off.date", None, "sign_off.date is required"),
    ("coverage.units_reporting", 2, "coverage.units_reporting is more than"),
    ("lawful_basis", "CONSENT", "lawful_basis must be PUBLIC_TASK"),
    ("lawful_basis", "LEGITIMATE_INTEREST", "lawful_basis LEGITIMATE_INTEREST is for NGOs"),
    ("retention_class", "FOREVER", "retention_class must be STANDARD or SHORT"),
    ("gateway", "Jane", "gateway must be a fingerprint of 40"),
    ("gateway", "A" * 41, "gateway must be a fingerprint of 40"),
    ("signature", "signed, Jane", "signature must be an ASCII-armored"),
    ("software", "", "software must have 1 to 200"),
    ("Jane Example", 1, "a key is not a key of the manifest"),
]


@pytest.mark.parametrize(("path", "value", "clause"), REFUSED)
def test_wrong_value_is_named_by_its_key(path: str, value: object, clause: str) -> None:
    found = details(json.dumps(changed(path, value)).encode())
    assert any(detail.startswith(clause) for detail in found), found
    assert not any("Jane" in detail for detail in found)


ACCEPTED: list[tuple[str, object]] = [
    ("created_at", "2026-04-09T10:30:00.123456+01:00"),
    ("created_at", "2026-04-09T10:30:00Z"),
    ("contact.mailbox", "trafficking@lincs.police.uk"),
    ("contact.mailbox", "data@highland.gov.scot"),
    ("contact.mailbox", "data@Kent.GOV.UK"),
    ("software", None),
    ("replaces", None),
    ("retention_class", "SHORT"),
    ("gateway", None),
    ("gateway", "0123456789ABCDEF" * 2 + "01234567"),
    ("gateway", "0123456789abcdef" * 2 + "01234567"),
    ("lawful_basis", "PUBLIC_TASK: Article 9(2)(g), DPA 2018 Schedule 1 paragraph 18"),
    ("coverage.known_gaps", "One team.\nTwo months."),
    ("record_counts", {"CASE": 2}),
]


@pytest.mark.parametrize(("path", "value"), ACCEPTED)
def test_value_that_the_standard_allows_is_taken(path: str, value: object) -> None:
    loaded(changed(path, value))


UNPARSABLE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "not valid JSON"),
    "not UTF-8": (lambda: json.dumps(GOOD).encode("utf-16"), "not UTF-8"),
    "an array": (lambda: b"[]", "not an object"),
    "a key twice": (lambda: b'{"standard": "CTDS", "standard": "CTDS"}', "stands twice"),
    "a nested key twice": (lambda: b'{"contact": {"a": 1, "a": 2}}', "stands twice"),
    "NaN": (lambda: b'{"a": NaN}', "not valid JSON"),
    "10,000 levels": (lambda: b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "too deeply"),
    "half a surrogate": (lambda: b'{"a": ["\\ud800"]}', "surrogate"),
    "half a surrogate as key": (lambda: b'{"\\ud800": 1}', "surrogate"),
    "trailing data": (lambda: json.dumps(GOOD).encode() + b"{}", "not valid JSON"),
}


@pytest.mark.parametrize("case", UNPARSABLE)
def test_text_that_two_readers_could_read_differently_is_refused(case: str) -> None:
    build, clause = UNPARSABLE[case]
    [detail] = details(build())
    assert clause in detail


@pytest.mark.parametrize(
    ("name", "version"), [("CTDS", "2.0"), ("HTCDS", "1.0"), ("CTDS", "1.0\n"), ("ctds", "1.0")]
)
def test_unknown_standard_is_said_at_once(name: str, version: str) -> None:
    raw = {**GOOD, "standard": name, "standard_version": version}
    with pytest.raises(ManifestRefused) as refused:
        loaded(raw)
    [found] = refused.value.findings
    assert found.rule == "CT-002"
    assert found.message().startswith("manifest.json: this gateway accepts CTDS 1.0 (you sent ")
    assert found.redacted().message() == "manifest.json: this gateway accepts CTDS 1.0."


def test_canonical_form_is_rfc_8785_without_the_signature() -> None:
    raw = {"b": 1, "signature": "x", "a": {"\u20ac": "\u00e9", "c": [True, None]}}
    assert canonical_manifest(raw) == '{"a":{"c":[true,null],"€":"é"},"b":1}'.encode()


def test_canonical_form_does_not_depend_on_how_the_manifest_is_written() -> None:
    spread = json.dumps(GOOD, indent=4, sort_keys=True, ensure_ascii=True).encode()
    assert canonical_manifest(read_manifest(spread)) == canonical_manifest(GOOD)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=9,
)


@given(st.sampled_from(sorted(GOOD)), JSON_VALUES)
def test_any_value_under_any_key_is_taken_or_refused(key: str, value: object) -> None:
    data = json.dumps({**GOOD, key: value}).encode()
    try:
        manifest = load_manifest(read_manifest(data), standard=STANDARD)
    except ManifestRefused as refused:
        found = refused.findings
    else:
        found = ()
        canonical_manifest(manifest.raw)
    assert all(finding.level == "submission" for finding in found)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_as_findings(data: bytes) -> None:
    assert details(data)
