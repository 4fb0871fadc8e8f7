"""Templates: the columns of the standard, drop-downs that hold exactly the codes, cells of text."""

from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from tests.validators import samples
from tests.validators.test_workbooks import STANDARD, cells, judged
from validators.filenames import RECORD_TYPES
from validators.templates import csv_template, workbook_template


@pytest.fixture(scope="module")
def book() -> Workbook:
    return load_workbook(BytesIO(workbook_template(STANDARD, RECORD_TYPES)))


def test_there_is_a_sheet_for_each_record_type_with_its_columns(book: Workbook) -> None:
    assert book.sheetnames == ["README", *RECORD_TYPES, "LISTS"]
    for kind in RECORD_TYPES:
        header = tuple(cell.value for cell in book[kind][1])
        assert header == STANDARD.records[kind].header
        assert all(cell.comment is not None for cell in book[kind][1])
        assert {cell.number_format for cell in book[kind][2]} == {"@"}


def choices(book: Workbook, rule: Any) -> set[str]:
    """The cells that a drop-down shows."""
    sheet, _, cells = rule.formula1.removeprefix("=").partition("!")
    return {row[0].value for row in book[sheet][cells.replace("$", "")]}


@pytest.mark.parametrize("kind", RECORD_TYPES)
def test_a_drop_down_has_exactly_the_codes_that_the_field_takes(book: Workbook, kind: str) -> None:
    sheet: Any = book[kind]
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    seen = 0
    for field, cell in zip(STANDARD.records[kind].fields, sheet[1], strict=True):
        allowed = STANDARD.allowed_codes(field)
        rule = rules.get(f"{cell.column_letter}2:{cell.column_letter}2001")
        assert (rule is not None) == (field.type == "code" and bool(allowed))
        if rule is not None:
            seen += 1
            assert choices(book, rule) == allowed
    assert seen == len(rules) > 0


def test_a_template_that_is_filled_in_is_accepted(book: Workbook) -> None:
    del book  # it is changed here, and others look at it
    filled = load_workbook(BytesIO(workbook_template(STANDARD, RECORD_TYPES)))
    for kind, rows in samples.children(3).items():
        for at, row in enumerate(rows, start=2):
            for column, text in enumerate(cells(kind, row), start=1):
                filled[kind].cell(at, column).value = text
    made = BytesIO()
    filled.save(made)
    outcome = judged(made.getvalue(), "RETURN.xlsx")
    assert (outcome.report.verdict, dict(outcome.report.totals)) == ("accepted", {})


def test_a_template_can_be_of_some_record_types_only() -> None:
    book = load_workbook(BytesIO(workbook_template(STANDARD, ["ACTV"])))
    assert book.sheetnames == ["README", "ACTV", "LISTS"]


@pytest.mark.parametrize("kind", RECORD_TYPES)
def test_a_csv_template_is_the_header(kind: str) -> None:
    assert csv_template(STANDARD.records[kind]) == ",".join(STANDARD.records[kind].header) + "\r\n"
