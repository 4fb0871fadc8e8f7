"""Reports as HTML, CSV and marked workbooks: whatever a sender wrote stays text in all of them."""

import csv
import io
from html.parser import HTMLParser
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from tests.validators import books, samples
from tests.validators.test_report import MIXED, NIL, REJECTED
from tests.validators.test_workbooks import judged, sheets_of
from validators.findings import finding
from validators.report import FileCount, Report
from validators.report.marked import lay_out, mark
from validators.report.page import content_policy, render_html
from validators.report.sheet import HEADER, harmless, render_csv

GATEWAY = "https://gateway.example.org"
HOSTILE = [
    *('=cmd|"/C calc"!A0', "+1+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"),
    *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "a\u202eb"),
]


def told(value: str) -> Report:
    found = finding("CT-016", file="CASE.csv", row=2, column="sex", value=value, codelist="CL_SEX")
    return Report(None, "CTDS 1.0", "rejected", (), (found,), {"CT-016": 1})


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_a_row_of_the_sheet_says_where_what_and_how_to_mend() -> None:
    header, first, *_ = rows_of(render_csv(MIXED, gateway=GATEWAY))
    assert tuple(header) == HEADER
    assert first == [
        *("error", "CT-016", "CASE.csv", "", "4", "sex", "sex: 'X' is not in CL_SEX."),
        "Write one of F, I, M or U, in capital and small letters as here.",
        f"{GATEWAY}/standard/1.0/rules#CT-016",
    ]


def test_without_a_gateway_no_path_is_given_that_leads_nowhere() -> None:
    assert rows_of(render_csv(MIXED))[1][-1] == ""
    cells = [cell.value for row in opened(lay_out({}, MIXED))["FINDINGS"] for cell in row]
    assert not [text for text in cells if "/standard/" in str(text)]


def test_the_list_of_findings_is_printed_across_with_its_header() -> None:
    sheet = opened(lay_out({}, MIXED))["FINDINGS"]
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert (sheet.page_setup.fitToHeight, sheet.print_title_rows) == (0, "$3:$3")


def test_what_is_not_listed_is_counted_in_every_form() -> None:
    sentence = "Counted but not listed, as there are too many: 10 of CT-016."
    assert sentence in rows_of(render_csv(MIXED))[-1]
    assert sentence in render_html(MIXED)
    assert sentence in [cell.value for cell in opened(lay_out({}, MIXED))["FINDINGS"]["G"]]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_of_the_sheet_begins_like_a_formula(text: str) -> None:
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d"))
    for row in rows_of(render_csv(told(text))):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


class _Seen(HTMLParser):
    """Tags, attributes and text of a page, each where it belongs."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        assert not any(name.startswith("on") for name in given)
        if given.get("id"):
            self.ids.add(str(given["id"]))
        if given.get("href"):
            self.links.add(str(given["href"]))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", HOSTILE)
def test_a_page_shows_what_was_sent_and_runs_none_of_it(text: str) -> None:
    seen = _Seen(render_html(told(text)))
    assert not {"script", "img", "iframe", "link", "object"} & set(seen.tags)
    shown = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
    assert f"'{shown}' is not in CL_SEX." in seen.text


@pytest.mark.parametrize("report", [MIXED, REJECTED, NIL])
def test_a_page_stands_alone_and_its_links_lead_somewhere(report: Report) -> None:
    seen = _Seen(render_html(report))
    assert {link.removeprefix("#") for link in seen.links} == set(report.totals)
    assert {link.removeprefix("#") for link in seen.links} <= seen.ids
    assert seen.tags.count("h1") == 1


def test_a_page_that_knows_the_gateway_links_to_its_standard() -> None:
    links = _Seen(render_html(MIXED, gateway=GATEWAY)).links
    assert f"{GATEWAY}/standard/1.0/rules#CT-042" in links


def test_the_policy_of_a_page_allows_its_own_style_alone() -> None:
    assert "style-src 'sha256-" in content_policy()
    assert "unsafe" not in content_policy()


def opened(data: bytes) -> Workbook:
    return load_workbook(io.BytesIO(data))


def cell_of(sheet: Any, column: str, row: int) -> Any:
    names = [cell.value for cell in sheet[1]]
    return sheet.cell(row, names.index(column) + 1)


@pytest.fixture
def sent() -> bytes:
    """A workbook with two faults, and a cell that would like to be a formula."""
    records = samples.children(3)
    records["CASE"][1]["sex"] = "X"
    records["CASE"][2]["age_at_referral"] = "=1+1"
    return books.xlsx(sheets_of(records))


def test_a_workbook_comes_back_with_its_faults_marked(sent: bytes) -> None:
    report = judged(sent, "RETURN.xlsx").report
    book = opened(mark(sent, report, gateway=GATEWAY))
    assert book.sheetnames == ["FINDINGS", "CASE", "EXPL", "DECN"]
    marked = cell_of(book["CASE"], "sex", 3)
    assert marked.comment.text.startswith("sex: 'X' is not in CL_SEX.\nWrite one of F, I, M or U")
    assert marked.comment.text.endswith("(CT-016)")
    assert marked.fill.fgColor.rgb == "FFF4C7C3"
    assert cell_of(book["CASE"], "sex", 2).comment is None
    listed = [[cell.value for cell in row] for row in book["FINDINGS"].iter_rows(min_row=4)]
    assert ["error", "CT-016", "RETURN.xlsx", "CASE", "3", "sex"] in [row[:6] for row in listed]


def test_what_the_sender_wrote_is_still_there_and_still_text(sent: bytes) -> None:
    report = judged(sent, "RETURN.xlsx").report
    before, after = opened(sent), opened(mark(sent, report))
    for sheet in before.worksheets:
        kept = [[cell.value or None for cell in row] for row in after[sheet.title].iter_rows()]
        assert kept == [[cell.value or None for cell in row] for row in sheet.iter_rows()]
    assert cell_of(after["CASE"], "age_at_referral", 4).data_type == "s"


def test_no_text_of_a_marked_workbook_is_a_formula(sent: bytes) -> None:
    report = judged(sent, "RETURN.xlsx").report
    laid_out = lay_out({"CASE": [["sex", "=1+1"], [], ["=HYPERLINK(1)", "@x"]]}, report)
    for data in (mark(sent, report), laid_out):
        for sheet in opened(data).worksheets:
            assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize("text", ["a\x01b", "a\x0bb", "a\ufffeb", "a\uffffb"])
def test_a_character_that_no_workbook_holds_is_shown_as_one(text: str) -> None:
    report = Report(None, "CTDS 1.0", "rejected", (), findings=(), totals={})
    book = opened(lay_out({"CASE": [["sex"], [text]]}, report))
    assert book["CASE"]["A2"].value == "a\ufffdb"


def test_a_marked_workbook_can_be_mended_and_sent_again(sent: bytes) -> None:
    marked = mark(sent, judged(sent, "RETURN.xlsx").report)
    again = judged(marked, "RETURN.xlsx").report
    assert {each.rule for each in again.findings} == {"CT-015", "CT-016", "CT-026"}
    twice = opened(mark(marked, again))
    assert twice.sheetnames.count("FINDINGS") == 1


def test_a_fault_without_a_cell_is_listed_and_marks_nothing() -> None:
    report = Report(
        *(None, "CTDS 1.0", "rejected", (FileCount("CASE.csv", "CASE", 1, 0, 1, 0),)),
        findings=(finding("CT-011", file="CASE.csv", row=1, name="CASE.csv", detail="blank"),),
        totals={"CT-011": 1},
    )
    book = opened(lay_out({"CASE": [["sex"], ["F"]]}, report))
    assert book["CASE"]["A1"].comment is None
    assert book["FINDINGS"]["B4"].value == "CT-011"
