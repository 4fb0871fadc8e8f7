"""How a workbook to fill in looks, the same in XLSX and ODS. Widths count characters."""

from collections.abc import Sequence
from math import ceil

from validators.templates.planning import Choices, Column, Template

HEADS = {
    # what a column is: (its ground, its letters)
    "R": ("1D4F91", "FFFFFF"),
    "C": ("BBD4EA", "0B0C0C"),
    "O": ("E3E3E3", "0B0C0C"),
}
LINK = "1D4F91"
AUTHOR = "CTDS"
STOPPED = ("Not a code of the list", "Choose a code from the drop-down; LISTS tells what it means.")
README_WIDTHS = (10, 32, 56)
LINE_HEIGHT = 16
"""The points of a line of text."""

NOTE_WIDTH = 380
"""The pixels across a note, on which a line of about `_NOTE_LINE` characters fits."""

MOST_LINES = 12
_NOTE_LINE = 52
_NOTE_LINE_HEIGHT = 17


def note_height(column: Column) -> int:
    """The pixels that a note needs to be read without scrolling."""
    lines = sum(lines_of(line, _NOTE_LINE) for line in column.note.split("\n"))
    return _NOTE_LINE_HEIGHT * (lines + 1)


def lines_of(text: str, width: int = sum(README_WIDTHS)) -> int:
    """How many lines a text takes in this width."""
    return max(1, ceil(len(text) / width))


def row_lines(columns: Sequence[Column], row: Sequence[str]) -> int:
    """How many lines a row takes for its longest text, as far as a screen has room."""
    wrapped = (
        lines_of(text, each.width) for each, text in zip(columns, row, strict=True) if each.wraps
    )
    return min(MOST_LINES, max(wrapped, default=1))


def contents(template: Template) -> tuple[tuple[str, str, str], ...]:
    """The table on README: a sheet, what it is of, and what a row of it is."""
    return tuple((sheet.name, sheet.title, sheet.purpose) for sheet in template.sheets)


def list_widths(choices: Choices) -> tuple[int, int]:
    """The widths of the two columns of a list: its codes, and what they are called."""
    codes = max((len(code) for code, _ in choices.items), default=0)
    labels = max((len(label) for _, label in choices.items), default=0)
    return max(12, codes + 2), min(60, max(14, len(choices.title) - codes, labels + 2))
