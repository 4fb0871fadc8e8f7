"""Templates: the columns of the standard, drop-downs that hold exactly the codes, cells of text."""

import csv
from datetime import date
from io import BytesIO, StringIO
from typing import Any
from zipfile import ZipFile

import pytest
from lxml import etree
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter

from tests.validators import samples
from tests.validators.test_workbooks import STANDARD, cells, judged
from validators.filenames import RECORD_TYPES
from validators.run import NoHistory, Outcome, validate
from validators.standard import Field, data_folder, load_standards
from validators.templates import Rows, Template, as_csv, as_ods, as_xlsx, example_rows, plan
from validators.workbooks.reading import read_sheets

WRITERS = {"xlsx": as_xlsx, "ods": as_ods}
FRESH = [samples.uuid4(samples.rng(seed)) for seed in range(60)]
LAST = 10_001
LEEDS = "LA-E08000035"
HOSTILE = ["=1+1", "<b>&amp;</b>", "007", "2026-03-01", "true", "two\nlines", " a  b   c ", "'x'"]


def planned(*kinds: str, rows: Rows | None = None) -> Template:
    return plan(STANDARD, kinds or RECORD_TYPES, fresh_ids=FRESH, rows=rows)


@pytest.fixture(scope="module")
def book() -> Workbook:
    return load_workbook(BytesIO(as_xlsx(planned())))


def read(data: bytes) -> dict[str, list[list[str]]]:
    """What a reader of ours makes of a workbook: the cells of each sheet."""
    sheets = read_sheets(BytesIO(data))
    return {sheet.name: [texts for _, texts in sheet.rows] for sheet in sheets}


def offered(field: Field) -> set[str] | None:
    """What a drop-down of this field has to show; None if it is to have none."""
    if field.name == "record_id":
        return set(map(str, FRESH))
    if field.type == "bool":
        return {"true", "false"}
    if field.combines is not None:
        return {*STANDARD.codelists[field.combines].items, "TOTAL"}
    codes = field.type in ("code", "code_list") and STANDARD.allowed_codes(field)
    return set(codes) if codes and (field.codelists or field.extra_codes) else None


def binds(field: Field) -> bool:
    return field.type in ("code", "bool") and field.combines is None


# What both kinds of workbook say


@pytest.mark.parametrize("form", WRITERS)
def test_there_is_a_sheet_for_each_record_type_with_its_columns(form: str) -> None:
    sheets = read(WRITERS[form](planned()))
    assert list(sheets) == ["README", *RECORD_TYPES, "LISTS"]
    for kind in RECORD_TYPES:
        assert sheets[kind] == [list(STANDARD.records[kind].header)]


@pytest.mark.parametrize("form", WRITERS)
def test_a_template_can_be_of_some_record_types_only(form: str) -> None:
    assert list(read(WRITERS[form](planned("ACTV")))) == ["README", "ACTV", "LISTS"]


@pytest.mark.parametrize("form", WRITERS)
def test_texts_stay_the_texts_that_they_are(form: str) -> None:
    """A formula, a number, a date or XML in a cell would be another value when it is read."""
    header = STANDARD.records["NARR"].header
    rows = [dict.fromkeys(header, text) for text in HOSTILE]
    assert read(WRITERS[form](planned("NARR", rows={"NARR": rows})))["NARR"][1:] == [
        [text] * len(header) for text in HOSTILE
    ]


def test_both_kinds_of_workbook_say_the_same() -> None:
    example = planned(rows=example_rows(STANDARD))
    assert read(as_xlsx(example)) == read(as_ods(example))


@pytest.mark.parametrize("form", WRITERS)
def test_lists_tell_what_every_code_means(form: str) -> None:
    rows = read(WRITERS[form](planned("CASE")))["LISTS"]
    at = rows[1].index("CL_SAFEGUARD")
    told = {row[at]: row[at + 1] for row in rows[2:] if row[at]}
    assert told == {**STANDARD.codelists["CL_SAFEGUARD"].items}


def test_a_note_has_the_codes_where_they_are_few_and_names_lists_where_not(book: Workbook) -> None:
    notes = {str(cell.value): cell.comment.text for cell in book["CASE"][1] if cell.comment}
    assert set(notes) == set(STANDARD.records["CASE"].header)
    assert "DELETE  Withdraws the record with the same record_id" in notes["record_action"]
    countries = len(STANDARD.allowed_codes(STANDARD.records["CASE"].field("nationality_1")))
    assert f"{countries} codes: see LISTS." in notes["nationality_1"]
    assert "written 2026-03-31" in notes["identification_date"]
    assert notes["sex"].startswith("Required.")
    assert {name for name, note in notes.items() if "Never a name" in note} == {"person_ref"}
    assert notes["nrm_referral_date"].startswith(
        "Required in some cases.\nRequired if nrm_referred"
    )


def test_a_note_says_what_a_blank_cell_means(book: Workbook) -> None:
    notes = {str(cell.value): cell.comment.text for cell in book["MISS"][1] if cell.comment}
    assert "Blank: still missing." in notes["end_date"]


def test_only_a_sheet_with_cases_offers_their_ids() -> None:
    [alone] = planned("EXPL").sheets
    assert [each.drop_down for each in alone.columns if each.name == "case_id"] == [None]


# XLSX


def choices(book: Workbook, rule: Any) -> set[str]:
    """The cells that a drop-down shows."""
    sheet, _, place = rule.formula1.removeprefix("=").partition("!")
    return {row[0].value for row in book[sheet][place.replace("$", "")]}


@pytest.mark.parametrize("kind", RECORD_TYPES)
def test_a_drop_down_has_exactly_the_codes_that_the_field_takes(book: Workbook, kind: str) -> None:
    sheet: Any = book[kind]
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    for at, field in enumerate(STANDARD.records[kind].fields, start=1):
        letter = get_column_letter(at)
        rule = rules.pop(f"{letter}2:{letter}{LAST}", None)
        if field.name == "case_id":
            assert rule.formula1 == f"=CASE!$A$2:$A${LAST}"
            assert not rule.showErrorMessage
            continue
        expected = offered(field)
        assert (rule is None) == (expected is None), field.name
        if rule is not None:
            assert choices(book, rule) == expected
            assert rule.showErrorMessage == binds(field)
    assert not rules


@pytest.mark.parametrize("kind", [*RECORD_TYPES])
def test_whole_columns_are_text_and_row_1_stays_in_view(book: Workbook, kind: str) -> None:
    sheet: Any = book[kind]
    header = STANDARD.records[kind].header
    letters = [get_column_letter(at) for at in range(1, len(header) + 1)]
    assert {sheet.column_dimensions[each].number_format for each in letters} == {"@"}
    assert sheet.freeze_panes == "B2"


def test_required_columns_can_be_told_from_others(book: Workbook) -> None:
    seen = {
        field.required: cell.fill.fgColor.rgb
        for field, cell in zip(STANDARD.records["CASE"].fields, book["CASE"][1], strict=True)
    }
    assert len(set(seen.values())) == len(seen) == 3


def test_a_template_that_is_filled_in_is_accepted() -> None:
    filled = load_workbook(BytesIO(as_xlsx(planned())))
    for kind, rows in samples.children(3).items():
        for at, row in enumerate(rows, start=2):
            for column, text in enumerate(cells(kind, row), start=1):
                filled[kind].cell(at, column).value = text
    made = BytesIO()
    filled.save(made)
    outcome = judged(made.getvalue(), "RETURN.xlsx")
    assert (outcome.report.verdict, dict(outcome.report.totals)) == ("accepted", {})


@pytest.mark.parametrize("form", WRITERS)
def test_a_workbook_is_small(form: str) -> None:
    """It goes by e-mail, and is kept by every team."""
    assert len(WRITERS[form](planned())) < 200_000


# ODS, by OpenDocument 1.3 part 3


class Ods:
    """The parts of an ODS file."""

    def __init__(self, data: bytes) -> None:
        with ZipFile(BytesIO(data)) as archive:
            self.names = archive.infolist()
            self.parts = {each.filename: archive.read(each) for each in self.names}
        self.content = etree.fromstring(self.parts["content.xml"])
        self.ns = self.content.nsmap

    def all(self, path: str, *, within: Any = None) -> list[Any]:
        found = (self.content if within is None else within).xpath(path, namespaces=self.ns)
        return list(found)

    def sheet(self, name: str) -> Any:
        [table] = self.all(f"//table:table[@table:name='{name}']")
        return table

    def get(self, node: Any, name: str) -> str:
        prefix, _, local = name.partition(":")
        return str(node.get(f"{{{self.ns[prefix]}}}{local}"))


@pytest.fixture(scope="module")
def ods() -> Ods:
    return Ods(as_ods(planned()))


def test_an_ods_says_first_what_it_is(ods: Ods) -> None:
    first = ods.names[0]
    assert (first.filename, first.compress_type, first.extra) == ("mimetype", 0, b"")
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    assert ods.parts["mimetype"] == kind
    manifest = etree.fromstring(ods.parts["META-INF/manifest.xml"])
    listed = {each.get(f"{{{manifest.nsmap['manifest']}}}full-path") for each in manifest}
    assert listed == {"/", *ods.parts} - {"mimetype", "META-INF/manifest.xml"}


def shown(rows: dict[str, list[list[str]]], condition: str) -> set[str]:
    """The cells that the condition of a validation names (9.4.5)."""
    place = condition.removeprefix("of:cell-content-is-in-list([$").removesuffix("])")
    sheet, _, area = place.partition(".")
    first, _, last = area.replace("$", "").partition(":.")
    letters, digits = first.rstrip("0123456789"), first.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert last.rstrip("0123456789") == letters
    at = next(n for n in range(1, 1000) if get_column_letter(n) == letters)
    until = int(last.removeprefix(letters))
    return {row[at - 1] for row in rows[sheet][int(digits) - 1 : until]}


@pytest.mark.parametrize("kind", RECORD_TYPES)
def test_an_ods_has_the_drop_downs_and_notes(ods: Ods, kind: str) -> None:
    rules = {ods.get(each, "table:name"): each for each in ods.all("//table:content-validation")}
    table = ods.sheet(kind)
    head, blank, _ = ods.all("table:table-row", within=table)
    assert ods.get(blank, "table:number-rows-repeated") == str(LAST - 1)
    rows = read(as_ods(planned()))
    for field, title, cell in zip(STANDARD.records[kind].fields, head, blank, strict=True):
        [_note] = ods.all("office:annotation[text:p and @svg:height]", within=title)
        named = ods.get(cell, "table:content-validation-name")
        expected = offered(field)
        if field.name == "case_id":
            assert f"[$CASE.$A$2:.$A${LAST}]" in ods.get(rules[named], "table:condition")
        elif expected is None:
            assert named == "None"
        else:
            rule = rules[named]
            assert shown(rows, ods.get(rule, "table:condition")) == expected
            [message] = ods.all("table:error-message", within=rule)
            assert ods.get(message, "table:display") == str(binds(field)).lower()


def test_all_cells_of_an_ods_are_text_down_to_the_last_row(ods: Ods) -> None:
    [as_text] = ods.all("//number:text-style[number:text-content]/@style:name")
    styles = set(ods.all(f"//style:style[@style:data-style-name='{as_text}']/@style:name"))
    used = set(ods.all("//table:table-cell/@table:style-name"))
    used |= set(ods.all("//table:table-column/@table:default-cell-style-name"))
    assert used
    assert used <= styles
    for kind in RECORD_TYPES:
        repeats = ods.all("table:table-row/@table:number-rows-repeated", within=ods.sheet(kind))
        assert 1 + sum(map(int, repeats)) == 1_048_576


def test_row_1_of_an_ods_stays_in_view(ods: Ods) -> None:
    settings = etree.fromstring(ods.parts["settings.xml"])
    # LibreOffice takes its settings only by a name in its own namespace.
    assert settings.nsmap["ooo"] == "http://openoffice.org/2004/office"
    name = f"{{{settings.nsmap['config']}}}name"
    for kind in RECORD_TYPES:
        [view] = [each for each in settings.iter() if each.get(name) == kind]
        told = {item.get(name): item.text for item in view}
        assert (told["VerticalSplitMode"], told["VerticalSplitPosition"]) == ("2", "1")


def test_an_ods_keeps_spaces_as_its_format_asks(ods: Ods) -> None:
    """Two spaces in a row are one to who reads the XML as it is meant."""
    notes = ods.all("//office:annotation/text:p")
    assert any(ods.all("text:s", within=each) for each in notes)
    assert not [each for each in notes for text in each.itertext() if "  " in text]


def test_every_style_that_an_ods_names_is_there(ods: Ods) -> None:
    made = set(ods.all("//style:style/@style:name"))
    used = ods.all("//table:*/@table:style-name") + ods.all("//@table:default-cell-style-name")
    assert set(used) <= made


# CSV


@pytest.mark.parametrize("kind", RECORD_TYPES)
def test_a_csv_template_is_the_header_after_the_mark_that_excel_needs(kind: str) -> None:
    header = ",".join(STANDARD.records[kind].header)
    assert as_csv(STANDARD.records[kind]) == f"\ufeff{header}\r\n".encode()


# The example


def example_in(form: str) -> dict[str, bytes]:
    rows = example_rows(STANDARD)
    if form == "csv":
        return {f"{kind}.csv": as_csv(STANDARD.records[kind], rows[kind]) for kind in rows}
    return {f"RETURN.{form}": WRITERS[form](planned(rows=rows))}


def judged_example(files: dict[str, bytes], *, on: date) -> Outcome:
    built = samples.built_from_files(STANDARD, files, agency_id=LEEDS)
    return validate(
        BytesIO(built.data), standards=load_standards(), received_on=on, history=NoHistory()
    )


@pytest.mark.parametrize("form", [*WRITERS, "csv"])
@pytest.mark.parametrize("on", [date(2026, 4, 1), date(2036, 4, 1)])
def test_the_example_is_accepted_without_a_word_now_and_in_ten_years(form: str, on: date) -> None:
    report = judged_example(example_in(form), on=on).report
    assert (report.verdict, report.findings) == ("accepted", ())
    assert {file.record_type: file.rows for file in report.files if file.rows} == {
        kind: len(rows) for kind, rows in example_rows(STANDARD).items()
    }


def test_the_example_shows_every_kind_of_record_and_has_the_columns_of_today() -> None:
    rows = example_rows(STANDARD)
    assert set(rows) == set(RECORD_TYPES)
    assert all(rows.values())
    folder = data_folder(STANDARD) / "example"
    assert {file.name for file in folder.iterdir()} == {f"{kind}.csv" for kind in RECORD_TYPES}
    for kind in RECORD_TYPES:
        text = (folder / f"{kind}.csv").read_text("utf-8")
        assert tuple(next(csv.reader(StringIO(text)))) == STANDARD.records[kind].header


def test_only_an_example_says_that_it_is_one() -> None:
    assert "invented" in planned(rows=example_rows(STANDARD)).how_to[0]
    assert not any("invented" in each for each in planned().how_to)
