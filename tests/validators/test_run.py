"""Whole packages: the verdict, what is kept, what is returned, and what hostile ones end in."""

import gc
import io
import json
import tracemalloc
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.validators import samples
from tests.validators.zips import zipped
from validators.building import BuiltPackage
from validators.bulk.judging import BulkRows
from validators.collected import Collected
from validators.findings import finding
from validators.manifest import ManifestSignatureRefused, canonical_manifest
from validators.package import Package, PackageRefused
from validators.rows import Rows
from validators.run import NoHistory, Outcome, validate
from validators.standard import load_standard, load_standards

STANDARD = load_standard()
RECORDS = samples.children(5)


class Held(NoHistory):
    """A gateway that knows one sender, one earlier submission and its period."""

    def __init__(self, sender: str, submission_id: str, period: tuple[date, date]) -> None:
        self._sender, self._submission_id, self._period = sender, submission_id, period

    def is_registered_sender(self, agency_id: str) -> bool:
        return agency_id == self._sender

    def first_received(self, submission_id: str) -> date | None:
        return date(2026, 4, 1) if submission_id == self._submission_id else None

    def replaceable(self, submission_id: UUID, period: tuple[date, date]) -> bool:
        return (str(submission_id), period) == (self._submission_id, self._period)

    def has_accepted_return(self, period_start: date, period_end: date) -> bool:
        return (period_start, period_end) == self._period


def judged(package: BuiltPackage | bytes, **options: Any) -> Outcome:
    data = package if isinstance(package, bytes) else package.data
    options = {"received_on": samples.RECEIVED_ON, "history": NoHistory(), **options}
    return validate(io.BytesIO(data), standards=load_standards(), **options)


def built(records: Mapping[str, Any] = RECORDS, **changed: object) -> BuiltPackage:
    return samples.package(STANDARD, records, **changed)


def rules(outcome: Outcome) -> dict[str, int]:
    return dict(outcome.report.totals)


def places(outcome: Outcome, rule: str) -> list[tuple[str | None, int | None, str | None]]:
    return [(f.file, f.row, f.column) for f in outcome.report.findings if f.rule == rule]


def accepted_by(outcome: Outcome) -> dict[str, list[Any]]:
    return {kind: list(rows) for kind, rows in outcome.accepted.items()}


def told(outcome: Outcome) -> tuple[object, ...]:
    """All that an outcome says, to compare."""
    return outcome.report, outcome.manifest, accepted_by(outcome), outcome.nil


def altered(changes: Mapping[int, Mapping[str, str]], kind: str = "CASE") -> dict[str, Any]:
    """The sample records with some fields of some rows of one type changed."""
    rows = [{**row, **changes.get(at, {})} for at, row in enumerate(RECORDS[kind])]
    return {**RECORDS, kind: rows}


def repacked(package: BuiltPackage, **changed: bytes | None) -> bytes:
    """A package with files changed, added or (None) removed after its manifest was made."""
    with zipfile.ZipFile(io.BytesIO(package.data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    names = {name.replace("_", "."): data for name, data in changed.items()}
    return zipped({name: data for name, data in (files | names).items() if data is not None})


def test_good_package_is_accepted_whole() -> None:
    outcome = judged(built())
    assert outcome.report.verdict == "accepted"
    assert rules(outcome) == {}
    assert {kind: len(rows) for kind, rows in outcome.accepted.items()} == dict.fromkeys(RECORDS, 5)
    assert not outcome.nil
    assert outcome.manifest is not None
    assert outcome.report.submission_id == str(outcome.manifest.submission_id)


def test_accepted_records_are_json_and_say_what_was_sent() -> None:
    accepted = accepted_by(judged(built()))
    assert [row["person_ref"] for row in accepted["CASE"]] == [
        row["person_ref"] for row in RECORDS["CASE"]
    ]
    first = accepted["CASE"][0]
    assert first["age_at_referral"] == int(RECORDS["CASE"][0]["age_at_referral"])
    assert first["identification_date"] == RECORDS["CASE"][0]["identification_date"]
    assert first["safeguarding_response"] == ["STRAT", "S47"]
    assert accepted["EXPL"][0]["is_primary"] is True
    assert "gender_identity" not in first


def test_json_lines_give_the_same_records_as_csv() -> None:
    lines = {f"{kind}.jsonl": _lines(rows) for kind, rows in RECORDS.items()}
    package = samples.built_from_files(STANDARD, lines)
    assert accepted_by(judged(package)) == accepted_by(judged(built()))


def _lines(rows: list[dict[str, str]]) -> bytes:
    native = {"true": True, "false": False}
    return "\n".join(
        json.dumps({name: native.get(value, value) for name, value in row.items() if value})
        for row in rows
    ).encode()


def test_row_with_an_error_goes_back_and_the_others_go_on() -> None:
    outcome = judged(built(altered({1: {"sex": "X"}, 3: {"age_at_referral": ""}})))
    assert outcome.report.verdict == "accepted-in-part"
    assert len(outcome.accepted["CASE"]) == 3
    assert places(outcome, "CT-016") == [("CASE.csv", 3, "sex")]
    assert places(outcome, "CT-030") == [("CASE.csv", 5, "age_at_referral")]
    [count] = [file for file in outcome.report.files if file.name == "CASE.csv"]
    assert (count.rows, count.accepted, count.returned) == (5, 3, 2)


def test_warning_stays_with_its_record() -> None:
    told_late = {"la_notified_date": "2026-04-09"}
    outcome = judged(built(altered({0: told_late})))
    assert (outcome.report.verdict, rules(outcome)) == ("accepted", {"CT-041": 1})
    [count] = [file for file in outcome.report.files if file.name == "CASE.csv"]
    assert count.warnings == 1


def test_all_field_errors_of_a_row_are_told_at_once() -> None:
    outcome = judged(built(altered({0: {"sex": "X", "uasc": "", "identification_date": "today"}})))
    findings = [found for found in outcome.report.findings if found.record_type == "CASE"]
    assert {found.column for found in findings} == {
        "sex",
        "uasc",
        "identification_date",
    }


def test_package_whose_rows_are_all_bad_is_rejected() -> None:
    outcome = judged(built({"CASE": [{**row, "sex": "X"} for row in RECORDS["CASE"]]}))
    assert (outcome.report.verdict, outcome.accepted) == ("rejected", {})


def test_record_id_used_twice_returns_both_rows_across_files() -> None:
    taken = RECORDS["CASE"][1]["record_id"]
    outcome = judged(built(altered({2: {"record_id": taken}}, "EXPL")))
    assert places(outcome, "CT-024") == [
        ("CASE.csv", 3, "record_id"),
        ("EXPL.csv", 4, "record_id"),
    ]
    assert {kind: len(rows) for kind, rows in outcome.accepted.items()} == {
        "CASE": 4,
        "EXPL": 3,
        "DECN": 4,
    }


def test_record_id_used_three_times_is_told_three_times() -> None:
    one = {"record_id": RECORDS["CASE"][0]["record_id"]}
    outcome = judged(built(altered({2: one, 4: one})))
    assert [row for _, row, _ in places(outcome, "CT-024")] == [2, 4, 6]


def test_share_of_unknown_answers_is_told_back() -> None:
    outcome = judged(built(altered({0: {"uasc": "UNK"}, 1: {"uasc": "NCL"}, 2: {"sex": "U"}})))
    assert places(outcome, "CT-023") == [("CASE.csv", None, "uasc")]
    assert outcome.report.verdict == "accepted"
    assert rules(judged(built(altered({0: {"uasc": "UNK"}})))) == {}


def test_nil_return_is_accepted_as_such() -> None:
    outcome = judged(built({}))
    assert (outcome.report.verdict, outcome.nil, outcome.accepted) == ("accepted", True, {})


@pytest.mark.parametrize(("records", "nil"), [({}, False), (RECORDS, True)])
def test_nil_return_that_contradicts_the_counts_is_a_warning(
    records: Mapping[str, Any], nil: bool
) -> None:
    outcome = judged(built(records, nil_return=nil))
    assert rules(outcome) == {"CT-013": 1}
    [found] = outcome.report.findings
    assert ("there are rows" in found.message()) is nil
    assert (outcome.report.verdict, outcome.nil) == ("accepted", False)


REJECTED: dict[str, tuple[dict[str, object], str]] = {
    "an unknown agency": ({"agency_id": "LA-ALL", "agency_type": "LA"}, "CT-003"),
    "no agency": ({"agency_id": "nan", "agency_type": "OTHER"}, "CT-003"),
    "another agency type": ({"agency_type": "LA"}, "CT-001"),
    "a period of seven weeks": ({"period_end": "2026-02-18"}, "CT-004"),
    "a period backwards": ({"period_start": "2026-04-01", "period_end": "2026-01-31"}, "CT-004"),
    "a quarter called a month": ({"period_type": "MONTH"}, "CT-004"),
    "a quarter of its own": ({"period_start": "2026-02-01", "period_end": "2026-04-30"}, "CT-004"),
    "a year with records": ({"period_type": "YEAR", "period_end": "2026-12-31"}, "CT-004"),
    "the end of time": ({"period_start": "9999-10-01", "period_end": "9999-12-31"}, "CT-005"),
    "a period to come": ({"period_start": "2026-04-01", "period_end": "2026-06-30"}, "CT-005"),
    "wrong counts": ({"record_counts": {"CASE": 5, "EXPL": 5, "DECN": 4}}, "CT-006"),
    "counts of what was not sent": (
        {"record_counts": {"CASE": 5, "EXPL": 5, "DECN": 5, "NARR": 1}},
        "CT-006",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REJECTED)
def test_package_with_an_error_at_submission_level_is_rejected_whole(case: str) -> None:
    changed, rule = REJECTED[case]
    fields = {**samples.manifest_fields(STANDARD), **changed}
    outcome = judged(samples.package_of(RECORDS, fields))
    assert rule in rules(outcome)
    assert outcome.report.verdict == "rejected"
    assert outcome.accepted == {}


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [
        ("MONTH", "2026-02-01", "2026-02-28"),
        ("MONTH", "2024-02-01", "2024-02-29"),
        ("QUARTER", "2025-10-01", "2025-12-31"),
        ("YEAR", "2025-01-01", "2025-12-31"),
        ("YEAR", "2025-04-01", "2026-03-31"),
    ],
)
def test_calendar_periods_are_taken(kind: str, start: str, end: str) -> None:
    outcome = judged(built({}, period_type=kind, period_start=start, period_end=end))
    assert rules(outcome) == {}


def test_unregistered_sender_learns_nothing_about_the_records() -> None:
    history = Held("LA-E09000001", "", (date(2025, 10, 1), date(2025, 12, 31)))
    outcome = judged(built(altered({0: {"sex": "X"}})), history=history)
    assert rules(outcome) == {"CT-003": 1}
    assert outcome.report.files == ()


def test_a_report_repeats_no_agency_that_is_on_no_register() -> None:
    known = judged(built()).report
    assert (known.agency_id, known.period) == (samples.AGENCY_ID, samples.PERIOD)
    fields = {**samples.manifest_fields(STANDARD), "agency_id": "Jane Doe", "agency_type": "OTHER"}
    written = judged(samples.package_of(RECORDS, fields)).report
    assert written.agency_id is None
    assert "Jane" not in str(written.redacted().to_dict())


def test_what_the_gateway_holds_is_asked() -> None:
    package = built()
    known = str(package.manifest["submission_id"])
    held = Held(samples.AGENCY_ID, known, samples.PERIOD)
    assert rules(judged(package, history=held)) == {"CT-008": 1, "CT-010": 1}
    replacement = {"submission_type": "REPLACEMENT", "replaces": known, "seed": 10}
    assert rules(judged(built(**replacement), history=held)) == {}
    assert rules(judged(built(**replacement))) == {}, "offline nobody can know"
    other = Held(samples.AGENCY_ID, known, (date(2025, 10, 1), date(2025, 12, 31)))
    outcome = judged(built(**replacement), history=other)
    assert (rules(outcome), outcome.report.verdict) == ({"CT-009": 1}, "rejected")


def test_signature_is_verified_over_the_canonical_manifest() -> None:
    package = built()
    seen: list[tuple[bytes, str]] = []
    judged(package, verify_manifest=lambda signed, armor: seen.append((signed, armor)))
    assert seen == [(canonical_manifest(package.manifest), package.manifest["signature"])]


def test_refused_signature_rejects_the_package_before_its_records_are_read() -> None:
    def refuse(_signed: bytes, _armor: str) -> None:
        raise ManifestSignatureRefused("signer-unknown")

    outcome = judged(built(altered({0: {"sex": "X"}})), verify_manifest=refuse)
    assert rules(outcome) == {"CT-001": 1}
    assert "signer-unknown" in outcome.report.findings[0].values["detail"]
    assert outcome.manifest is None


def test_missing_manifest_is_a_finding() -> None:
    outcome = judged(repacked(built(), manifest_json=None))
    assert (rules(outcome), outcome.report.verdict) == ({"CT-001": 1}, "rejected")


TAMPERED: dict[str, tuple[dict[str, bytes | None], set[str]]] = {
    "a file altered": ({"CASE_csv": b"record_id\r\n"}, {"CT-007"}),
    "a file removed": ({"CASE_csv": None}, {"CT-007"}),
    "a file added": ({"MISS_csv": b"record_id\r\n"}, {"CT-007"}),
    "another manifest": ({"manifest_json": b"{}"}, {"CT-001"}),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_package_altered_after_its_manifest_is_rejected(case: str) -> None:
    changed, expected = TAMPERED[case]
    outcome = judged(repacked(built(), **changed))
    assert set(rules(outcome)) == expected
    assert outcome.accepted == {}


def test_same_length_with_other_bytes_is_seen() -> None:
    package = built()
    with zipfile.ZipFile(io.BytesIO(package.data)) as archive:
        case = archive.read("CASE.csv").replace(b",M,", b",F,").replace(b",NEW,", b",NEw,")
    outcome = judged(repacked(package, CASE_csv=case))
    assert places(outcome, "CT-007") == [("CASE.csv", None, None)]


UNREADABLE_FILES: dict[str, tuple[bytes, str]] = {
    "no header": (b"", "CT-011"),
    "UTF-16": ("record_id".encode("utf-16"), "CT-011"),
    "a prohibited column": (b"record_id,surname\r\n", "CT-012"),
    "an endless quote": (b'"' + b"x" * 200_000, "CT-011"),
    "NULs": (bytes(1000), "CT-011"),
}


@pytest.mark.parametrize("case", UNREADABLE_FILES)
def test_file_that_cannot_be_read_rejects_the_package(case: str) -> None:
    data, rule = UNREADABLE_FILES[case]
    outcome = judged(samples.built_from_files(STANDARD, {"CASE.csv": data}))
    assert rule in rules(outcome)
    assert "CT-006" not in rules(outcome)
    assert outcome.report.verdict == "rejected"


def test_ragged_row_rejects_the_package_but_the_rest_is_still_checked() -> None:
    csv = _csv(built(altered({0: {"sex": "X"}}))) + b"too,few\r\n"
    outcome = judged(samples.built_from_files(STANDARD, {"CASE.csv": csv}))
    assert places(outcome, "CT-016") == [("CASE.csv", 2, "sex")]
    assert places(outcome, "CT-011") == [("CASE.csv", 7, None)]
    assert outcome.accepted == {}
    assert [(file.rows, file.accepted, file.returned) for file in outcome.report.files] == [
        (6, 0, 6)
    ]


def _csv(package: BuiltPackage, name: str = "CASE.csv") -> bytes:
    with zipfile.ZipFile(io.BytesIO(package.data)) as archive:
        return archive.read(name)


def test_findings_beyond_the_cap_are_counted_and_dropped() -> None:
    many = [{**RECORDS["CASE"][0], "record_id": "x", "sex": "X"} for _ in range(1_200)]
    outcome = judged(built({"CASE": many}))
    assert rules(outcome)["CT-016"] == 1_200
    assert len(places(outcome, "CT-016")) == 1_000


@pytest.mark.parametrize("way", [Rows, BulkRows])
def test_nothing_of_what_is_wrong_is_kept_in_memory(way: type[Rows]) -> None:
    """Cells may be long, and each another: a few megabytes, packed, would fill a worker."""
    rows = samples.children(240)["EXPL"]
    for at, row in enumerate(rows):
        row.update(dict.fromkeys(("record_action", "case_id", "means"), f"{at}{'x' * 20_000}"))
    package = samples.package(STANDARD, {"EXPL": rows}).data
    kept: list[int] = []

    class Measured(way):  # type: ignore[misc, valid-type]
        def judge_together(self, package: Package) -> None:
            gc.collect()
            kept.append(tracemalloc.get_traced_memory()[0])
            super().judge_together(package)

    tracemalloc.start()
    validate(
        io.BytesIO(package),
        standards=load_standards(),
        received_on=samples.RECEIVED_ON,
        history=NoHistory(),
        make_rows=Measured,
    )
    tracemalloc.stop()
    assert kept[0] < 4 << 20


def test_what_rejects_a_package_is_never_dropped() -> None:
    collected = Collected(STANDARD)
    warnings = [code for code, rule in STANDARD.rules.items() if rule.severity == "warning"]
    errors = [code for code, rule in STANDARD.rules.items() if rule.level == "record"]
    for code in (*warnings, *errors):
        collected.add_all(finding(code, file="CASE.csv", row=row) for row in range(2, 1_000))
    collected.add(finding("CT-006", expected="1", type="CASE", actual="2"))
    assert collected.findings[-1].rule == "CT-006"
    assert len(collected.findings) < 16_000
    assert sum(collected.totals.values()) == 998 * (len(warnings) + len(errors)) + 1


def test_verdict_is_the_same_on_every_day_after_receipt_is_fixed() -> None:
    assert told(judged(built())) == told(judged(built()))
    late = judged(built(), received_on=samples.RECEIVED_ON + timedelta(days=400))
    assert accepted_by(late) == accepted_by(judged(built()))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"-----BEGIN PGP MESSAGE-----"])
def test_package_that_cannot_be_opened_is_refused(data: bytes) -> None:
    with pytest.raises(PackageRefused):
        judged(data)


HOSTILE_CELL = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["=cmd|'/c calc'!A1", "@SUM(1)", "\t=1", "\r=1", "\u202eexe", "2026-02-30", "0000-00-00"]
    ),
    st.sampled_from(
        ["1e5", "\u0665", "\u0410LB", "YES ", "yes", "9" * 400, "-1", "NaN", "UNK;UNK"]
    ),
    st.sampled_from(["AB1 2CD", "jane@example.org", "07700 900123", "\ud7ff", "\x00", '"', "\n"]),
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_text_in_any_cell_ends_in_a_report(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(RECORDS)))
    columns = st.sampled_from(STANDARD.records[kind].header)
    change = data.draw(st.dictionaries(columns, HOSTILE_CELL, min_size=1, max_size=4))
    outcome = judged(built(altered({0: change}, kind)))
    kept = accepted_by(outcome).get(kind, [])
    assert all(row in accepted_by(judged(built()))[kind] for row in kept[1:])


SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
JSON_VALUE = SCALAR | st.lists(SCALAR, max_size=3) | st.dictionaries(st.text(max_size=3), SCALAR)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_json_under_any_key_ends_in_a_report(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(STANDARD.records)))
    columns = st.sampled_from(STANDARD.records[kind].header) | st.text(max_size=5)
    record = data.draw(st.dictionaries(columns, JSON_VALUE, max_size=5))
    base = RECORDS[kind][0] if kind in RECORDS else {}
    line = json.dumps({**base, **record}).encode()
    outcome = judged(samples.built_from_files(STANDARD, {f"{kind}.jsonl": line}))
    accepted_by(outcome)


WHOLE = built().data


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, len(WHOLE) - 1), value=st.integers(0, 255))
def test_damaged_package_is_refused_or_judged_as_if_whole(at: int, value: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[at] = value
    with suppress(PackageRefused):
        assert told(judged(bytes(damaged))) == told(judged(WHOLE))


MARK = "Zoe Exampleby"
MARKED: dict[str, BuiltPackage] = {
    "a code": built(altered({0: {"sex": MARK}})),
    "a date": built(altered({0: {"identification_date": MARK}})),
    "an id": built(altered({0: {"record_id": MARK}, 1: {"record_id": MARK}})),
    "a pseudonym": built(altered({0: {"person_ref": MARK}})),
    "a token": built(altered({0: {"lt_nrm": MARK}})),
    "a column": samples.built_from_files(STANDARD, {"CASE.csv": f"record_id,{MARK}\n".encode()}),
    "a header that is data": samples.built_from_files(STANDARD, {"CASE.csv": MARK.encode()}),
    "a key": samples.built_from_files(STANDARD, {"CASE.jsonl": f'{{"{MARK}": 1}}'.encode()}),
    "a JSON value": samples.built_from_files(
        STANDARD, {"CASE.jsonl": f'{{"sex": {{"{MARK}": ["{MARK}"]}}}}'.encode()}
    ),
    "the agency": samples.package_of({}, {**samples.manifest_fields(STANDARD), "agency_id": MARK}),
    "a manifest key": samples.package_of({}, {**samples.manifest_fields(STANDARD), MARK: MARK}),
    "a period": samples.package_of({}, {**samples.manifest_fields(STANDARD), "period_end": MARK}),
}


@pytest.mark.parametrize("place", MARKED)
def test_redacted_report_repeats_nothing_that_was_sent(place: str) -> None:
    report = judged(MARKED[place]).report
    assert report.findings
    assert MARK not in json.dumps(report.redacted().to_dict())
    assert MARK not in json.dumps([found.column for found in report.findings])
