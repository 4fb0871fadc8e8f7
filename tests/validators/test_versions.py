"""Two versions of the standard, side by side in one process: neither leaks into the other.

The second is made for the test (`versions`). What a cache mixed up would show as a code, a column,
a severity or a sentence of the other version.
"""

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from zipfile import ZipFile

import pytest

from tests.validators import samples
from tests.validators.versions import GONE, MILDER, NEW_CODE, NEW_COLUMN, NEXT, two_versions
from validators.areas import nation_of
from validators.building import build_package, unsigned
from validators.bulk.judging import BulkRows
from validators.errors import UnknownStandard
from validators.report import Report, render_text
from validators.report.page import render_html
from validators.report.sheet import render_csv
from validators.rows import Rows
from validators.run import NoHistory, Outcome, validate
from validators.schemas import build_schema
from validators.standard import Standards, load_standard

WAYS: list[type[Rows]] = [Rows, BulkRows]
VERSIONS = ("1.0", NEXT)
COLUMN = str(NEW_COLUMN["name"])
Records = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def standards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standards]:
    """Both versions, the later one last."""
    with two_versions(tmp_path_factory.mktemp("data") / f"ctds-{NEXT}") as both:
        yield both


def children(**case: str) -> Records:
    """Two children, of whom the first case is changed."""
    records = samples.children(2, seed=41)
    records["CASE"][0].update(case)
    return records


def judged(data: bytes, standards: Standards, way: type[Rows]) -> Outcome:
    return validate(
        io.BytesIO(data),
        standards=standards,
        received_on=samples.RECEIVED_ON,
        history=NoHistory(),
        make_rows=way,
    )


def packed(standards: Standards, version: str, records: Records) -> bytes:
    return samples.package(standards[version], records, standard_version=version).data


FALSE = {"age_at_exploitation_start": "17"}  # older than at referral
LATE = {"identification_date": "2026-02-02", "la_notified_date": "2026-02-02"}  # after the referral
CASES: dict[str, tuple[dict[str, str], dict[str, tuple[str, dict[str, int]]]]] = {
    "as it was": ({}, {"1.0": ("accepted", {}), NEXT: ("accepted", {})}),
    "a new code": (
        {"sex": NEW_CODE},
        {"1.0": ("accepted-in-part", {"CT-016": 1}), NEXT: ("accepted", {})},
    ),
    "a rule that is gone": (
        FALSE,
        {"1.0": ("accepted-in-part", {GONE: 1}), NEXT: ("accepted", {})},
    ),
    "an error that is a warning": (
        LATE,
        {"1.0": ("accepted-in-part", {MILDER: 1}), NEXT: ("accepted", {MILDER: 1})},
    ),
    "a code of neither": (
        {"sex": "ZZ"},
        {"1.0": ("accepted-in-part", {"CT-016": 1}), NEXT: ("accepted-in-part", {"CT-016": 1})},
    ),
}


def totals(outcome: Outcome) -> dict[str, int]:
    """How often each rule was broken, but for CT-026: rows about the case that went back."""
    return {rule: n for rule, n in outcome.report.totals.items() if rule != "CT-026"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
def test_each_package_is_judged_by_its_own_version(
    standards: Standards, case: str, way: type[Rows]
) -> None:
    change, expected = CASES[case]
    packages = {version: packed(standards, version, children(**change)) for version in VERSIONS}
    # There and back, so that what the one left behind could show in the other.
    for version in (*VERSIONS, *reversed(VERSIONS)):
        outcome = judged(packages[version], standards, way)
        assert (outcome.report.verdict, totals(outcome)) == expected[version], version
        assert outcome.report.standard == f"CTDS {version}"
        told = [each for each in outcome.report.to_dict()["findings"] if each["rule"] != "CT-026"]
        assert {each["message"].startswith(f"[{NEXT}]") for each in told} <= {version == NEXT}
        assert {each["mend"].startswith(f"[{NEXT}]") for each in told} <= {version == NEXT}
        assert {each["link"].split("/")[2] for each in told} <= {version}


@pytest.mark.parametrize("way", WAYS)
def test_a_column_belongs_to_its_version(standards: Standards, way: type[Rows]) -> None:
    records = children()
    later = packed(standards, NEXT, children(**{COLUMN: "F"}))
    outcome = judged(later, standards, way)
    assert outcome.report.verdict == "accepted"
    lines = [json.loads(line) for line in outcome.accepted["CASE"].lines()]
    assert [line.get(COLUMN) for line in lines] == ["F", None]
    earlier = judged(packed(standards, "1.0", records), standards, way)
    assert COLUMN not in json.loads(next(iter(earlier.accepted["CASE"].lines())))

    renamed = _as_version(later, "1.0")
    refused = judged(renamed, standards, way).report
    assert (refused.verdict, refused.standard) == ("rejected", "CTDS 1.0")
    assert "CT-011" in refused.totals, "a column that 1.0 does not have"


def _as_version(data: bytes, version: str) -> bytes:
    """The same files under a manifest that names another version."""
    sink = io.BytesIO()
    with ZipFile(io.BytesIO(data)) as source, ZipFile(sink, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "manifest.json":
                content = json.dumps({**json.loads(content), "standard_version": version}).encode()
            target.writestr(name, content)
    return sink.getvalue()


def test_both_at_once_in_many_threads(standards: Standards) -> None:
    work = [
        (version, case, way, packed(standards, version, children(**CASES[case][0])))
        for version in VERSIONS
        for case in CASES
        for way in WAYS
    ] * 3

    def run(job: tuple[str, str, type[Rows], bytes]) -> tuple[Any, Any]:
        version, case, way, data = job
        outcome = judged(data, standards, way)
        return (outcome.report.verdict, totals(outcome)), CASES[case][1][version]

    with ThreadPoolExecutor(8) as pool:
        for found, expected in pool.map(run, work):
            assert found == expected


def test_a_version_that_is_not_handed_in_is_refused(standards: Standards) -> None:
    """Carried is not accepted: who judges says which."""
    data = packed(standards, NEXT, children())
    report = judged(data, {"1.0": standards["1.0"]}, Rows).report
    assert (report.verdict, dict(report.totals)) == ("rejected", {"CT-002": 1})
    assert report.findings[0].message() == (
        f"manifest.json: this gateway accepts CTDS 1.0 (you sent CTDS {NEXT})."
    )
    unknown = judged(_as_version(data, "9.9"), standards, Rows).report
    assert unknown.findings[0].redacted().message() == (
        f"manifest.json: this gateway accepts CTDS 1.0, CTDS {NEXT}."
    )
    assert unknown.standard == f"CTDS {NEXT}", "told by the newest, as there is no other"


def test_a_report_is_read_as_it_was_told(standards: Standards) -> None:
    for version in VERSIONS:
        report = judged(packed(standards, version, children(**LATE)), standards, Rows).report
        kept = Report.from_dict(json.loads(json.dumps(report.redacted().to_dict())))
        for render in (render_text, render_html, render_csv):
            assert (f"[{NEXT}]" in render(kept)) is (version == NEXT)
        assert f"/standard/{version}/rules#" in render_csv(kept, gateway="https://g.example.org")
        assert f"/standard/{version}/rules#" in render_html(kept, gateway="https://g.example")


def test_schemas_and_areas_are_kept_apart(standards: Standards) -> None:
    today = date(2026, 4, 10)
    schemas = [build_schema(standards[version], "CASE", today=today) for version in VERSIONS]
    assert [COLUMN in schema.fields for schema in schemas] == [False, True]
    assert [build_schema(standards[version], "CASE", today=today) for version in VERSIONS] == (
        schemas
    )
    for standard in standards.values():
        assert nation_of("E10000019", standard) == "E92000001"


def test_a_package_is_built_for_the_version_that_its_fields_name(standards: Standards) -> None:
    fields = samples.manifest_fields(standards[NEXT])
    for version, header in (("1.0", False), (NEXT, True), (None, True)):
        named = fields if version is None else fields | {"standard_version": version}
        built = build_package(
            children(),
            named,
            sign=unsigned,
            now=samples.NOW,
            submission_id=samples.uuid4(samples.rng(5)),
        )
        assert built.manifest["standard_version"] == (version or NEXT)
        assert (COLUMN.encode() in _header(built.data)) is header
    with pytest.raises(UnknownStandard):
        samples.package(standards[NEXT], children(), standard_version="9.9")


def _header(data: bytes) -> bytes:
    with ZipFile(io.BytesIO(data)) as archive:
        return archive.read("CASE.csv").splitlines()[0]


def test_without_a_version_the_newest_is_meant(standards: Standards) -> None:
    assert load_standard() is standards[NEXT]
    assert load_standard("1.0") is standards["1.0"]
    assert list(standards) == list(VERSIONS)
