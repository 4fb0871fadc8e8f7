"""Reports: honest counts, and a text that a busy case worker can act on."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.findings import Finding, finding
from validators.report import FileCount, Report, render_text
from validators.report.groups import grouped, row_ranges
from validators.report.page import render_html
from validators.standard import load_standard

ID = "0c9f1d1e-6f0a-4c1b-8a55-4a4d8e1f9b10"


def sex(row: int, value: str = "X") -> object:
    return finding("CT-016", file="CASE.csv", row=row, column="sex", value=value, codelist="CL_SEX")


MIXED = Report(
    submission_id=ID,
    standard="CTDS 1.0",
    verdict="accepted-in-part",
    files=(
        FileCount("CASE.csv", "CASE", 1_200, 1_100, 100, 1),
        FileCount("EXPL.csv", "EXPL", 9, 9, 0, 0),
    ),
    findings=(
        *(sex(row) for row in (*range(4, 91), 97)),
        finding(
            "CT-019", file="CASE.csv", row=4, column="age_at_referral", value="40", min=0, max=25
        ),
        finding(
            "CT-019", file="CASE.csv", row=9, column="age_at_referral", value="99", min=0, max=25
        ),
        finding("CT-042", file="CASE.csv", row=12, column="nrm_referral_date", n=45),
    ),
    totals={"CT-016": 98, "CT-019": 2, "CT-042": 1},
)
REJECTED = Report(
    submission_id=None,
    standard="CTDS 1.0",
    verdict="rejected",
    files=(),
    findings=(
        finding("CT-006", file="manifest.json", expected="5", type="CASE", actual="4"),
        finding("CT-006", file="manifest.json", expected="5", type="EXPL", actual="4"),
    ),
    totals={"CT-006": 2},
)
NIL = Report(ID, "CTDS 1.0", "accepted", (), (), {})


def test_mixed_report_as_text() -> None:
    assert render_text(MIXED) == dedent("""\
        ACCEPTED IN PART. 1,109 of 1,209 rows were accepted. 100 went back: mend them
        and send the package again as a replacement.
        Package 0c9f1d1e-6f0a-4c1b-8a55-4a4d8e1f9b10
        Checked against CTDS 1.0

        File           Rows   Accepted   Returned   Warnings
        CASE.csv      1,200      1,100        100          1
        EXPL.csv          9          9          0          0

        To mend
        -------

        1. CASE.csv, column sex, rows 4 to 90, 97 (88 times)
           sex: 'X' is not in CL_SEX.
           > Write one of F, I, M or U, in capital and small letters as here. (CT-016)

        2. CASE.csv, column age_at_referral, rows 4, 9 (2 times)
           age_at_referral: the value is outside 0 to 25.
           Found: '40', '99'.
           > Correct the number, or leave the field blank if it is optional and the
             answer is not known. (CT-019)

        To check (accepted as it is)
        ----------------------------

        1. CASE.csv, column nrm_referral_date, row 12
           The NRM referral came 45 days after the child was identified.
           > Check the two dates; send the record as it is if they are right. (CT-042)

        Counted but not listed, as there are too many: 10 of CT-016.
        """)


def test_rejected_report_as_text() -> None:
    assert render_text(REJECTED) == dedent("""\
        REJECTED. Nothing was accepted. Mend what is listed below, then make the package
        again and send it.
        Checked against CTDS 1.0

        To mend
        -------

        1. manifest.json
           The manifest says 5 CASE rows but 4 arrived.
           > Count the rows again after the last change to the files, and write those
             counts into the manifest. (CT-006)

        2. manifest.json
           The manifest says 5 EXPL rows but 4 arrived.
           > Count the rows again after the last change to the files, and write those
             counts into the manifest. (CT-006)
        """)


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (MIXED, "1,109 of 1,209 rows would be accepted. 100 would go back: mend them, and check"),
        (REJECTED, "REJECTED. Nothing would be accepted. Mend what is listed below, and check"),
    ],
)
def test_what_was_only_checked_is_not_told_as_if_it_had_been_sent(
    report: Report, told: str
) -> None:
    text = " ".join(render_text(replace(report, sent=False)).split())
    assert told in text
    assert "send the" not in text.partition("Checked against")[0]


def test_nil_report_as_text() -> None:
    assert render_text(NIL) == dedent(f"""\
        ACCEPTED. There were no rows. This is a nil return: it says that you have
        nothing to report.
        Package {ID}
        Checked against CTDS 1.0
        """)
    assert "This would be a nil return" in " ".join(render_text(replace(NIL, sent=False)).split())


def test_without_rows_it_is_a_nil_return_only_where_it_says_so() -> None:
    warned = replace(NIL, findings=(finding("CT-013", file="manifest.json"),))
    assert "nil return:" not in render_text(replace(warned, totals={"CT-013": 1}))


@pytest.mark.parametrize("tell", [render_text, render_html])
def test_a_report_says_whose_return_it_is_about(tell: Callable[[Report], str]) -> None:
    about = replace(NIL, agency_id="LA-E08000035", period=(date(2026, 1, 1), date(2026, 3, 31)))
    assert "Leeds" in tell(about)
    assert "(LA-E08000035), 1 January 2026 to 31 March 2026" in tell(about)
    assert Report.from_dict(json.loads(json.dumps(about.to_dict()))) == about


def test_redacted_report_as_text_has_no_values() -> None:
    text = render_text(MIXED.redacted())
    assert "sex: the value is not in CL_SEX." in text
    assert "rows 4 to 90, 97 (88 times)" in text
    assert not any(value in text for value in ("'X'", "40", "99", "45 days"))


@pytest.mark.parametrize("width", [0, 40, 60, 120])
@pytest.mark.parametrize("report", [MIXED, REJECTED, NIL])
def test_lines_keep_to_the_width_and_hold_no_escapes(report: Report, width: int) -> None:
    lines = render_text(report, width).splitlines()
    prose = [line for line in lines if "  " not in line.strip() and len(line.split()) > 3]
    assert all(len(line) <= max(width, 40) for line in prose)
    assert all(line.isprintable() for line in lines)


def test_what_rejects_the_package_comes_first() -> None:
    groups = grouped([sex(4), REJECTED.findings[0], sex(5)])
    assert [group.first.rule for group in groups] == ["CT-006", "CT-016"]


def test_report_counts_what_it_does_not_list() -> None:
    assert MIXED.omitted == {"CT-016": 10}
    assert MIXED.to_dict()["omitted"] == {"CT-016": 10}
    assert REJECTED.omitted == {}


@pytest.mark.parametrize("report", [MIXED, MIXED.redacted(), REJECTED, NIL])
def test_dict_and_back(report: Report) -> None:
    assert Report.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_a_report_of_a_later_version_is_told_in_its_own_words() -> None:
    later = json.loads(json.dumps(MIXED.to_dict()))
    later["standard"] = "CTDS 7.0"
    later["totals"] = {"CT-777": 1}
    later["findings"] = [
        {**later["findings"][0], "rule": "CT-777", "message": "{sex} is odd.", "mend": "Even it."}
    ]
    report = Report.from_dict(later)
    assert report.to_dict()["findings"][0]["message"] == "sex is odd."
    for form in (render_text, render_html):
        text = " ".join(form(report).split())
        assert "CT-777" in text
        assert "sex is odd." in text
        assert "Even it." in text


def test_many_different_values_are_told_in_part() -> None:
    [group] = grouped(sex(row, f"X{row}") for row in range(2, 12))
    assert group.values == "'X2', 'X3', 'X4', 'X5', 'X6' and 5 others"


def blank(rows: Sequence[int], columns: int) -> list[Finding]:
    header = load_standard().records["CASE"].header[:columns]
    return [
        finding("CT-014", file="CASE.csv", row=row, column=each) for each in header for row in rows
    ]


@pytest.mark.parametrize("rows", [[7], [7, 9]])
def test_a_row_that_is_blank_in_most_is_one_mistake(rows: list[int]) -> None:
    [group] = grouped(blank(rows, 5))
    assert group.place == f"CASE.csv, {row_ranges(rows)}"
    assert group.message == (
        "record_id, record_action, person_ref, link_scheme, lt_name_dob are required."
    )
    assert group.mend.endswith("if the row is no record but a total or a note, delete it.")


@pytest.mark.parametrize(("rows", "columns"), [([7], 4), (range(2, 42), 6)])
def test_columns_that_are_blank_are_told_each(rows: Sequence[int], columns: int) -> None:
    groups = grouped(blank(rows, columns))
    assert len(groups) == columns
    assert groups[0].message == "record_id is required."
    assert groups[0].mend == groups[0].first.mend


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([], ""),
        ([4], "row 4"),
        ([4, 4], "row 4"),
        ([4, 5], "rows 4, 5"),
        ([7, 4, 5, 6], "rows 4 to 7"),
        ([*range(4, 91), 97], "rows 4 to 90, 97"),
        (list(range(2, 30, 2)), "rows 2, 4, 6, 8, 10, 12, 14, 16, 18, 20 and 4 more"),
    ],
)
def test_rows_as_people_write_them(rows: list[int], text: str) -> None:
    assert row_ranges(rows) == text


@given(st.sets(st.integers(2, 60), min_size=1, max_size=12))
def test_ranges_name_every_row_and_no_other(rows: set[int]) -> None:
    text = row_ranges(rows).removeprefix("rows").removeprefix("row").partition(" and ")
    named: set[int] = set()
    for part in text[0].split(","):
        low, _, high = part.strip().partition(" to ")
        named |= set(range(int(low), int(high or low) + 1))
    assert named <= rows
    assert len(rows - named) == int(text[2].removesuffix(" more") or 0)
