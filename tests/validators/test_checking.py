"""Bare files are checked as the package of them is; what cannot be one is refused."""

from dataclasses import replace
from io import BytesIO

import pytest

from tests.validators import books, samples
from validators.building import GivenFile, PackageNotBuilt
from validators.bulk.judging import BulkRows
from validators.checking import Facts, check_files, check_package, is_package, pack
from validators.package import PackageRefused, open_package
from validators.profile import FactsRefused, manifest_fields, quarter, stand_in
from validators.report.givenback import NotGivenBack, can_be_given_back, give_back
from validators.report.machine import render_json
from validators.report.page import render_html
from validators.report.prose import remarks, render_text
from validators.report.sheet import render_csv
from validators.rows import Rows
from validators.standard import load_standard

STANDARD = load_standard()
IDENTITY = samples.uuid4(samples.rng(77))
FACTS = Facts(stand_in(samples.AGENCY_ID, standard=STANDARD), samples.PERIOD, further={})
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ARMOR = "-----BEGIN PGP SIGNATURE-----\n\nAA==\n-----END PGP SIGNATURE-----\n"


def records(count: int = 3) -> list[GivenFile]:
    """CSV files of which one row is wrong."""
    children = samples.children(count)
    children["CASE"][0]["sex"] = "Q"
    built = samples.package(STANDARD, children)
    package = open_package(BytesIO(built.data))
    names = [name for name in package.names if name.endswith(".csv")]
    return [GivenFile(name, package.open(name).read()) for name in names]


def test_bare_files_are_checked_as_a_package_of_them() -> None:
    files = records()
    bare = check_files(files, FACTS, now=samples.NOW, submission_id=IDENTITY)
    built = pack(files, FACTS, sign=lambda _: ARMOR, now=samples.NOW, submission_id=IDENTITY)
    packed = check_package(built.data, today=samples.NOW.date())
    assert packed.submission_id == str(IDENTITY)
    assert render_json(bare) == render_json(replace(packed, submission_id=None))
    assert bare.verdict == "accepted-in-part"
    assert bare.totals == {"CT-016": 1, "CT-026": 2}


@pytest.mark.parametrize("agency_id", STANDARD.agencies)
def test_nothing_of_a_stand_in_is_found_fault_with(agency_id: str) -> None:
    facts = Facts(stand_in(agency_id, standard=STANDARD), samples.PERIOD, further={})
    report = check_files([], facts, now=samples.NOW, submission_id=IDENTITY)
    assert (report.verdict, dict(report.totals)) == ("accepted", {})


def test_an_agency_off_the_register_makes_no_manifest() -> None:
    with pytest.raises(FactsRefused, match="register") as refused:
        manifest_fields(
            stand_in("LA-NOWHERE", standard=STANDARD),
            quarter("2026Q1"),
            standard=STANDARD,
            today=samples.RECEIVED_ON,
        )
    assert "CL_AGENCY" in refused.value.mend


def test_more_offices_than_there_are_are_found_before_a_package_is_made() -> None:
    profile = stand_in(samples.AGENCY_ID, standard=STANDARD)
    profile["coverage"] = {"units_expected": 2, "units_reporting": 3}
    period, today = quarter("2026Q1"), samples.RECEIVED_ON
    with pytest.raises(FactsRefused, match="units_reporting is 3"):
        manifest_fields(profile, period, standard=STANDARD, today=today)
    fit = profile["coverage"] = {"units_expected": 2, "units_reporting": 2}
    assert manifest_fields(profile, period, standard=STANDARD, today=today)["coverage"] == fit


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"coverage": {}}, "coverage.units_expected is required; coverage.units_reporting is"),
        ({"coverage": "all"}, "coverage must be an object."),
        ({"sign_off": "me"}, "sign_off must be an object."),
        ({"lawful_basis": "FUN"}, "lawful_basis must be PUBLIC_TASK, "),
        ({"link_scheme": "mine"}, "link_scheme is not in CL_LINK_SCHEME."),
        (
            {"contact": {"role": "a", "team": "b", "mailbox": "me@gmail.com"}},
            "contact.mailbox must",
        ),
        ({"lawfull_basis": "PUBLIC_TASK"}, "lawfull_basis is not a key of a profile."),
        ({"files": [{}]}, "files is not a key of a profile."),
    ],
)
def test_what_no_manifest_may_say_is_told_of_the_profile(
    changed: dict[str, object], told: str
) -> None:
    profile, today = stand_in(samples.AGENCY_ID, standard=STANDARD) | changed, samples.RECEIVED_ON
    with pytest.raises(FactsRefused) as refused:
        manifest_fields(profile, quarter("2026Q1"), standard=STANDARD, today=today)
    assert refused.value.message.startswith(told)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *[(name, False) for name in ("CASE.csv", "mine.XLSX", "A.ods", "A.xls", "A.xlsm", "A.pgp")],
        *[(name, True) for name in ("A.zip", "A.ZIP", "A")],
    ],
)
def test_the_name_says_what_is_meant_as_a_package(name: str, expected: bool) -> None:
    assert is_package(name) is expected


def test_a_package_that_is_none_is_refused() -> None:
    with pytest.raises(PackageRefused):
        check_package(b"no zip", today=samples.RECEIVED_ON)


@pytest.mark.parametrize("name", ["return.xls", "return.xlsm", "CASE.txt", "Cases Q1.csv"])
def test_a_file_of_no_use_is_named_with_what_is_of_use(name: str) -> None:
    with pytest.raises(PackageNotBuilt, match=f"^{name} has no place in a package") as refused:
        check_files([GivenFile(name, b"x")], FACTS, now=samples.NOW, submission_id=IDENTITY)
    assert "CASE.csv" in refused.value.mend
    assert "saved as .xlsx or .ods" in refused.value.mend


def test_a_file_given_twice_is_refused() -> None:
    twice = [GivenFile("a.xlsx", b""), GivenFile("b.xlsx", b"")]
    with pytest.raises(PackageNotBuilt, match="twice"):
        check_files(twice, FACTS, now=samples.NOW, submission_id=IDENTITY)


def test_a_workbook_that_the_check_refuses_is_not_opened_to_be_marked() -> None:
    """What writes workbooks would inflate a bomb that what reads them has refused."""
    macros = books.changed(books.xlsx({"CASE": [["record_id"]]}), {"xl/vbaProject.bin": b"x"})
    book = GivenFile("RETURN.xlsx", macros)
    report = check_files([book], FACTS, now=samples.NOW, submission_id=IDENTITY)
    with pytest.raises(NotGivenBack, match="cannot be read"):
        give_back([book], report)


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("xl/styles.xml", f'<styleSheet xmlns="{MAIN}"><fills><fill/></fills></styleSheet>'),
        ("xl/styles.xml", '<styleSheet xmlns="{"/>'),
        ("[Content_Types].xml", "<Types><Override/></Types>"),
    ],
)
def test_a_workbook_that_can_only_be_read_is_not_given_back(part: str, content: str) -> None:
    odd = books.changed(books.xlsx({"CASE": [["record_id"]]}), {part: content.encode()})
    book = GivenFile("RETURN.xlsx", odd)
    report = check_files([book], FACTS, now=samples.NOW, submission_id=IDENTITY)
    with pytest.raises(NotGivenBack, match="cannot be read"):
        give_back([book], report)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["A.xlsx"], True),
        (["A.ods"], True),
        (["CASE.csv", "EXPL.CSV"], True),
        (["CASE.csv", "EXPL.xml"], False),
        (["A.zip"], False),
        (["A.xlsx", "B.xlsx"], False),
    ],
)
def test_a_workbook_or_tables_of_text_come_back(names: list[str], expected: bool) -> None:
    assert can_be_given_back([GivenFile(name, b"") for name in names]) is expected


@pytest.mark.parametrize("make_rows", [Rows, BulkRows])
def test_rows_about_cases_that_did_not_come_are_counted_where_nobody_knows_of_them(
    make_rows: type[Rows],
) -> None:
    """The gateway alone knows whether it holds them: nothing is found, and that is said."""
    children = samples.children(4)
    kept = children["CASE"][:1]
    children["CASE"] = kept
    about = {row["record_id"] for row in kept}
    orphans = sum(
        row.get("case_id", "") not in {"", *about}
        for kind, rows in children.items()
        for row in rows
        if kind != "CASE"
    )
    built = samples.package(STANDARD, children)
    report = check_package(built.data, today=samples.NOW.date(), make_rows=make_rows)
    assert orphans == len(report.caseless) > 1
    assert f"{orphans} rows name a case (case_id) that is not in this return" in remarks(report)
    assert "; EXPL.csv, rows " in remarks(report) or ": EXPL.csv, rows " in remarks(report)
    for form in (render_text(report), render_html(report), render_csv(report)):
        assert "(CT-026)" in form


def test_where_every_case_came_there_is_nothing_to_remark() -> None:
    report = check_files(records(), FACTS, now=samples.NOW, submission_id=IDENTITY)
    assert (report.caseless, remarks(report)) == ((), "")
