"""What case workers get wrong in a workbook: each fault is told once, with what to do about it.

A fault that is followed by others which it alone brought about sends people looking for what is not
there, so each mistake names everything that the report may say.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from io import BytesIO

import pytest
from openpyxl import Workbook, load_workbook

from tests.validators import samples
from tests.validators.test_workbooks import STANDARD
from validators.bulk.judging import BulkRows
from validators.report import Report, render_text
from validators.rows import Rows
from validators.run import NoHistory, validate
from validators.standard import load_standards
from validators.templates import as_csv, as_xlsx, example_rows, plan

AGENCY = "LA-E08000035"
ON = date(2026, 4, 10)
EXAMPLE = as_xlsx(plan(STANDARD, list(STANDARD.records), fresh_ids=[], rows=example_rows(STANDARD)))


def told(files: dict[str, bytes]) -> Report:
    """The report, the same whether rows are judged one by one or in bulk."""
    data = samples.built_from_files(STANDARD, files, agency_id=AGENCY).data
    one, other = (
        validate(
            BytesIO(data),
            standards=load_standards(),
            received_on=ON,
            history=NoHistory(),
            make_rows=way,
        ).report
        for way in (Rows, BulkRows)
    )
    assert one.to_dict() == other.to_dict()
    return one


def put(sheet: str, column: str, value: object) -> Callable[[Workbook], None]:
    """Something else in a cell of the first record."""

    def change(book: Workbook) -> None:
        at = STANDARD.records[sheet].header.index(column) + 1
        book[sheet].cell(2, at).value = value  # type: ignore[assignment]

    return change


def drop_column(book: Workbook) -> None:
    book["EXPL"].delete_cols(STANDARD.records["EXPL"].header.index("certainty") + 1)


def add_column(name: str) -> Callable[[Workbook], None]:
    def change(book: Workbook) -> None:
        at = len(STANDARD.records["CASE"].header) + 1
        book["CASE"].cell(1, at).value = name
        book["CASE"].cell(2, at).value = "North"

    return change


def write_beside(book: Workbook) -> None:
    book["CASE"].cell(2, len(STANDARD.records["CASE"].header) + 1).value = "ask again"


def use_an_id_twice(book: Workbook) -> None:
    book["MISS"]["A3"].value = book["MISS"]["A2"].value


def rename(book: Workbook) -> None:
    book["MISS"].title = "Missing"


def rename_by_case(book: Workbook) -> None:
    book["CASE"].title = "Other"
    book["Other"].title = "Case"


def write_notes_above(book: Workbook) -> None:
    book["CASE"].insert_rows(1, 2)
    book["CASE"]["A1"].value = "Return of the first quarter"


def swap(book: Workbook) -> None:
    book["CASE"].title, book["EXPL"].title = "Other", "CASE"
    book["Other"].title = "EXPL"


def spell_otherwise(book: Workbook) -> None:
    for row in book["CASE"].iter_rows(max_row=1):
        for cell in row:
            if cell.value in ("sex", "nationality_1"):
                cell.value = str(cell.value).title()


def add_a_total(book: Workbook) -> None:
    book["CASE"].append(["Total", None, "5"])


def part_with_blank_rows(book: Workbook) -> None:
    book["CASE"].insert_rows(3, 2)


@dataclass(frozen=True)
class Mistake:
    """What was done, all that is found, and a part of what the person is told to do."""

    change: Callable[[Workbook], None]
    found: set[str]
    told: str = ""


MISTAKES = {
    "what a code is called": Mistake(
        put("CASE", "sex", "Male"), {"CT-016 CASE 2 sex"}, "Write one of F, I, M or U, in capital"
    ),
    "a code in small letters": Mistake(
        put("CASE", "nrm_referred", "yes"), {"CT-016 CASE 2 nrm_referred"}, "capital and small"
    ),
    "a date as it is spoken": Mistake(
        put("CASE", "identification_date", "31/03/2026"),
        {"CT-015 CASE 2 identification_date"},
        "Write the day as 2026-03-31",
    ),
    "a month that became a date": Mistake(
        put("CASE", "birth_year_month", date(2009, 6, 1)),
        {"CT-015 CASE 2 birth_year_month"},
        "Write the month as 2026-03",
    ),
    "a number with words": Mistake(
        put("CASE", "age_at_referral", "16 years"),
        {"CT-015 CASE 2 age_at_referral"},
        "a whole number in digits alone",
    ),
    "a code that became a number": Mistake(put("CASE", "other_children_linked", 0.0), set()),
    "a date that became a date": Mistake(
        put("CASE", "identification_date", date(2026, 1, 8)), set()
    ),
    "a name in the text": Mistake(
        put("NARR", "body", "We spoke with a boy named Ahmed Khan, and he told us what he needs."),
        {"CT-022 NARR 2 body"},
        "remove names",
    ),
    "a required cell left blank": Mistake(
        put("EXPL", "certainty", None), {"CT-014 EXPL 2 certainty"}, "Fill in the field. (CT-014)"
    ),
    "a required cell left blank that may have no answer": Mistake(
        put("CASE", "nationality_1", None),
        {"CT-014 CASE 2 nationality_1"},
        # NCL is New Caledonia there.
        "if there is no answer, write UNK (asked but not known), WHD (withheld for",
    ),
    "a column left out": Mistake(
        drop_column, {"CT-011 EXPL 1 certainty"}, "row 1 has exactly the columns"
    ),
    "a column of one's own": Mistake(
        add_column("Team"),
        {"CT-011 CASE 1 None"},
        "RETURN.xlsx, sheet CASE: column AX is not part of the standard (Team).",
    ),
    "a column of names": Mistake(
        add_column("Surname"), {"CT-012 CASE 1 surname"}, "Delete the column"
    ),
    "a note beside the table": Mistake(
        write_beside, {"CT-011 CASE 2 None"}, "nothing stands beside them"
    ),
    "an id twice": Mistake(
        use_an_id_twice,
        {"CT-024 MISS 2 record_id", "CT-024 MISS 3 record_id"},
        "a record_id of its own",
    ),
    "a sheet of another name": Mistake(
        rename, {"CT-011 None None None"}, "sheets and files are named after record types"
    ),
    "a sheet named in small letters": Mistake(
        rename_by_case,
        {"CT-011 None None None"},
        "sheet 2 has data in it and is not named after a record type; name it, or take it out "
        "(Case)",
    ),
    "notes above the header": Mistake(
        write_notes_above,
        {"CT-011 CASE 1 None"},
        "none of the columns of CASE is in row 1; no row may stand above them",
    ),
    "two sheets swapped": Mistake(
        swap,
        {"CT-011 CASE 1 None", "CT-011 EXPL 1 None"},
        "sheet CASE: these are the columns of EXPL; name each sheet or file after its own",
    ),
    "columns spelled otherwise": Mistake(
        spell_otherwise,
        {"CT-011 CASE 1 None", "CT-011 CASE 1 sex", "CT-011 CASE 1 nationality_1"},
        "columns R, U are not part of the standard (Sex, Nationality_1)",
    ),
    "a name in a reference": Mistake(
        put("CASE", "person_ref", "John Smith"), {"CT-015 CASE 2 person_ref"}, "never a name"
    ),
    "a total below the rows": Mistake(
        add_a_total,
        {"CT-015 CASE 7 record_id", "CT-015 CASE 7 person_ref"}
        | {
            f"CT-014 CASE 7 {each.name}"
            for each in STANDARD.records["CASE"].fields
            if each.required == "R" and each.name not in ("record_id", "person_ref")
        },
        "if the row is no record but a total or a note, delete it. (CT-014)",
    ),
    "blank rows between": Mistake(part_with_blank_rows, set()),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_once_and_how_to_mend_it(name: str) -> None:
    mistake = MISTAKES[name]
    book = load_workbook(BytesIO(EXAMPLE))
    mistake.change(book)
    made = BytesIO()
    book.save(made)
    report = told({"RETURN.xlsx": made.getvalue()})
    assert places(report) == mistake.found
    assert not report.caseless
    assert mistake.told in " ".join(render_text(report).replace("> ", "").split())


def places(report: Report) -> set[str]:
    """Where the faults are, but for the rows that go back with their case."""
    own = (each for each in report.findings if "goes back with it" not in each.message())
    return {f"{each.rule} {each.record_type} {each.row} {each.column}" for each in own}


def in_csv(change: Callable[[bytes], bytes]) -> dict[str, bytes]:
    """The example as CSV files, the one of narratives changed."""
    rows = example_rows(STANDARD)
    files = {f"{kind}.csv": as_csv(STANDARD.records[kind], rows[kind]) for kind in rows}
    return files | {"NARR.csv": change(files["NARR.csv"])}


def test_a_file_that_excel_saved_as_ansi_is_told_how_to_be_saved() -> None:
    def ansi(data: bytes) -> bytes:
        text = data.decode("utf-8-sig").replace("first three days", "first \u2018three\u2019 days")
        return text.encode("cp1252")

    report = told(in_csv(ansi))
    assert [each.rule for each in report.findings] == ["CT-011"]
    assert "save it as 'CSV UTF-8'" in render_text(report)


@pytest.mark.parametrize(("mark", "called"), [(b";", "semicolons"), (b"\t", "tabs")])
def test_a_file_with_other_marks_between_its_columns_is_told_once(mark: bytes, called: str) -> None:
    def parted(data: bytes) -> bytes:
        header, _, _ = data.partition(b"\r\n")
        return header.replace(b",", mark) + b"\r\n"

    [found] = told(in_csv(parted)).findings
    assert f"{called} stand between its columns; save it with commas" in found.message()
