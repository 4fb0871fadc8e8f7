"""A workbook to fill in as ODS (OpenDocument 1.3, ISO/IEC 26300), its few parts written by us.

The libraries for it have had no release for years, and hand the same elements on; drop-downs
(`table:content-validation`, part 3, 9.4) and notes (`office:annotation`, 14.1) are elements like
any other. ElementTree escapes every text. Row 1 stays in view by `settings.xml`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from itertools import chain, groupby
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from openpyxl.utils import get_column_letter

from validators.templates import looks
from validators.templates.odsparts import (
    MANIFEST,
    MIMETYPE,
    STYLES,
    element,
    height_style,
    serialised,
    settings,
    styles_of,
    width_style,
)
from validators.templates.planning import (
    LISTS,
    README,
    ROWS,
    Choices,
    Column,
    DropDown,
    Sheet,
    Template,
)

_SPACES = re.compile("(^ +|(?<= ) +| +$)")
_MOST_ROWS = 1_048_576


def as_ods(template: Template) -> bytes:
    """Return the workbook as a file."""
    frozen = {sheet.name: (1, 1) for sheet in template.sheets} | {LISTS: (0, 2)}
    parts = {
        "content.xml": _content(template),
        "styles.xml": STYLES,
        "settings.xml": settings(README, frozen),
        "META-INF/manifest.xml": MANIFEST,
    }
    made = BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        # First and not compressed, so that the kind of file can be told from its first bytes.
        archive.writestr(ZipInfo("mimetype"), MIMETYPE, ZIP_STORED)
        for name, data in parts.items():
            archive.writestr(name, data)
    return made.getvalue()


def _content(template: Template) -> bytes:
    validations = tuple(_validations(template))
    names = {drop_down: name for name, drop_down, _ in validations}
    tables = (
        _readme(template),
        *(_table(sheet, names) for sheet in template.sheets),
        _lists(template.lists),
    )
    spreadsheet = element(
        "office:spreadsheet",
        element("table:content-validations", *map(_validation, validations)),
        *tables,
    )
    document = element(
        "office:document-content",
        styles_of(_widths(template)),
        element("office:body", spreadsheet),
        **{"office:version": "1.3"},
    )
    return serialised(document)


_Named = tuple[str, DropDown, str]
"""A validation: its name, what it offers, and a cell that it stands on."""


def _validations(template: Template) -> Iterator[_Named]:
    found: dict[DropDown, str] = {}
    for sheet in template.sheets:
        for at, column in enumerate(sheet.columns, start=1):
            if column.drop_down is not None:
                found.setdefault(column.drop_down, f"${sheet.name}.{get_column_letter(at)}2")
    for number, (drop_down, cell) in enumerate(found.items(), start=1):
        yield f"list{number}", drop_down, cell


def _validation(named: _Named) -> Any:
    name, drop_down, cell = named
    source = drop_down.source
    letters = get_column_letter(source.column)
    cells = f"[${source.sheet}.${letters}${source.first}:.${letters}${source.last}]"
    title, text = looks.STOPPED
    message = element(
        "table:error-message",
        _paragraph(text),
        **{
            "table:title": title,
            "table:display": str(drop_down.binds).lower(),
            "table:message-type": "stop",
        },
    )
    return element(
        "table:content-validation",
        message,
        **{
            "table:name": name,
            "table:condition": f"of:cell-content-is-in-list({cells})",
            "table:allow-empty-cell": "true",
            "table:display-list": "unsorted",
            "table:base-cell-address": cell,
        },
    )


def _table(sheet: Sheet, names: Mapping[DropDown, str]) -> Any:
    columns = (_column(column.width, _style(column)) for column in sheet.columns)
    rows = (
        _high(
            _row(
                _cell(text, _style(column), *_validated(column, names))
                for column, text in zip(sheet.columns, row, strict=True)
            ),
            looks.row_lines(sheet.columns, row),
        )
        for row in sheet.rows
    )
    head = _row([_head(column) for column in sheet.columns])
    return element(
        "table:table", *columns, head, *rows, *_blanks(sheet, names), **{"table:name": sheet.name}
    )


def _blanks(sheet: Sheet, names: Mapping[DropDown, str]) -> Iterator[Any]:
    """Rows to fill in, and all below them: a column's style holds only where a row says so."""
    offering = [_blank(column, names) for column in sheet.columns]
    rest = [_blank(column, {}) for column in sheet.columns]
    below = _MOST_ROWS - ROWS - 1
    for cells, count in ((offering, ROWS - len(sheet.rows)), (rest, below)):
        row = _row(cells)
        row.set("table:number-rows-repeated", str(count))
        yield row


def _style(column: Column) -> str:
    return "wrapped" if column.wraps else "text"


def _validated(column: Column, names: Mapping[DropDown, str]) -> list[str]:
    drop_down = column.drop_down
    return [] if drop_down is None or drop_down not in names else [names[drop_down]]


def _blank(column: Column, names: Mapping[DropDown, str]) -> Any:
    return _cell("", _style(column), *_validated(column, names))


def _head(column: Column) -> Any:
    cell = _cell(column.name, f"head-{column.required}")
    note = element(
        "office:annotation",
        *map(_paragraph, column.note.split("\n")),
        **{
            "svg:width": f"{looks.NOTE_WIDTH}px",
            "svg:height": f"{looks.note_height(column)}px",
            "office:display": "false",
        },
    )
    cell.insert(0, note)
    return cell


def _readme(template: Template) -> Any:
    sentences = (_spanning(sentence) for sentence in template.how_to)
    contents = (
        _high(
            _row([_link(name), _cell(title, "wrapped"), _cell(purpose, "wrapped")]),
            looks.lines_of(purpose, looks.README_WIDTHS[2]),
        )
        for name, title, purpose in looks.contents(template)
    )
    return element(
        "table:table",
        *(_column(width, "text") for width in looks.README_WIDTHS),
        _row([_cell(template.title, "title")]),
        _row([]),
        *sentences,
        _row([]),
        *contents,
        **{"table:name": README},
    )


def _spanning(sentence: str) -> Any:
    cell = _cell(sentence, "wrapped")
    cell.set("table:number-columns-spanned", str(len(looks.README_WIDTHS)))
    covered = element("table:covered-table-cell", **{"table:number-columns-repeated": "2"})
    return _high(_row([cell, covered]), looks.lines_of(sentence))


def _high(row: Any, lines: int) -> Any:
    row.set("table:style-name", height_style(lines))
    return row


def _link(name: str) -> Any:
    cell = _cell("", "link")
    cell.set("office:value-type", "string")
    target = element("text:a", name, **{"xlink:href": f"#{name}.A2", "xlink:type": "simple"})
    cell.append(element("text:p", target))
    return cell


def _lists(lists: Sequence[Choices]) -> Any:
    longest = max(len(choices.items) for choices in lists)
    columns = (_column(width, "text") for choices in lists for width in looks.list_widths(choices))
    titles = _row(_spread(((each.title, "") for each in lists), "bold"))
    sources = _row(_spread(((each.source, "") for each in lists), "text"))
    rows = (_row(_spread((_item(each, at) for each in lists), "text")) for at in range(longest))
    return element("table:table", *columns, titles, sources, *rows, **{"table:name": LISTS})


def _item(choices: Choices, at: int) -> tuple[str, str]:
    return choices.items[at] if at < len(choices.items) else ("", "")


def _spread(items: Iterable[tuple[str, str]], style: str) -> Iterator[Any]:
    """The cells of a row of LISTS; most are blank there, and a run of blank cells is one."""
    for text, run in groupby(chain.from_iterable(items)):
        cell = _cell(text, style)
        cell.set("table:number-columns-repeated", str(len(list(run))))
        yield cell


def _column(width: int, style: str) -> Any:
    return element(
        "table:table-column",
        **{"table:style-name": width_style(width), "table:default-cell-style-name": style},
    )


def _row(cells: Iterable[Any]) -> Any:
    return element("table:table-row", *cells)


def _cell(text: str, style: str, *validation: str) -> Any:
    cell = element("table:table-cell", **{"table:style-name": style})
    for name in validation:
        cell.set("table:content-validation-name", name)
    if text:
        cell.set("office:value-type", "string")
        cell.extend(map(_paragraph, text.split("\n")))
    return cell


def _paragraph(text: str) -> Any:
    """A paragraph; several spaces in a row would be read as one (part 3, 6.1.2)."""
    made = element("text:p")
    first, *rest = _SPACES.split(text)
    made.text = first
    for spaces, following in zip(rest[::2], rest[1::2], strict=True):
        more = element("text:s", **{"text:c": str(len(spaces))})
        more.tail = following
        made.append(more)
    return made


def _widths(template: Template) -> set[int]:
    columns = (column.width for sheet in template.sheets for column in sheet.columns)
    lists = chain.from_iterable(map(looks.list_widths, template.lists))
    return {*columns, *lists, *looks.README_WIDTHS}
