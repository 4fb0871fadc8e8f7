"""Workbooks made for tests: honest ones as spreadsheet programs write them, and hostile ones."""

from collections.abc import Mapping, Sequence
from datetime import date
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import xlsxwriter

Sheets = Mapping[str, Sequence[Sequence[Any]]]

_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def xlsx(sheets: Sheets) -> bytes:
    """A workbook with values of their own kind; None leaves a cell blank."""
    made = BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as workbook:
        day = workbook.add_format({"num_format": "dd/mm/yyyy"})
        for name, rows in sheets.items():
            sheet = workbook.add_worksheet(name)
            for at, row in enumerate(rows):
                for column, value in enumerate(row):
                    if isinstance(value, date):
                        sheet.write_datetime(at, column, value, day)
                    elif isinstance(value, str):
                        sheet.write_string(at, column, value)
                    elif value is not None:
                        sheet.write(at, column, value)
    return made.getvalue()


def ods(sheets: Sheets) -> bytes:
    """A workbook as LibreOffice writes it, with its long tail of repeated blank rows."""
    return ods_of("".join(_ods_sheet(name, rows) for name, rows in sheets.items()))


def ods_of(tables: str, **more: bytes) -> bytes:
    """A workbook of tables that are written out; `more` are further parts."""
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content office:version="1.3"'
        f' xmlns:office="{_OFFICE}:office:1.0" xmlns:table="{_OFFICE}:table:1.0"'
        f' xmlns:text="{_OFFICE}:text:1.0"><office:body><office:spreadsheet>{tables}'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<manifest:manifest xmlns:manifest="{_OFFICE}:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS_TYPE}"/>'
        "</manifest:manifest>"
    )
    made = BytesIO()
    with ZipFile(made, "w") as archive:
        archive.writestr("mimetype", _ODS_TYPE, ZIP_STORED)
        parts = {"content.xml": content.encode(), "META-INF/manifest.xml": manifest.encode()}
        for name, data in {**parts, **more}.items():
            archive.writestr(name, data, ZIP_DEFLATED)
    return made.getvalue()


def changed(workbook: bytes, change: Mapping[str, bytes | None]) -> bytes:
    """A workbook with parts added, replaced or (None) left out."""
    made = BytesIO()
    with ZipFile(BytesIO(workbook)) as archive, ZipFile(made, "w", ZIP_DEFLATED) as copy:
        parts = {name: archive.read(name) for name in archive.namelist()}
        for name, data in {**parts, **change}.items():
            if data is not None:
                copy.writestr(name, data)
    return made.getvalue()


def _ods_sheet(name: str, rows: Sequence[Sequence[Any]]) -> str:
    told = "".join(
        f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows
    )
    tail = (
        f'<table:table-row table:number-rows-repeated="{1048576 - len(rows)}">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    return f'<table:table table:name="{escape(name)}">{told}{tail}</table:table>'


def _ods_cell(value: Any) -> str:
    if value is None or value == "":
        return "<table:table-cell/>"
    shown = escape(str(value).lower() if isinstance(value, bool) else str(value))
    if isinstance(value, bool):
        kind = f'office:value-type="boolean" office:boolean-value="{shown}"'
    elif isinstance(value, int | float):
        kind = f'office:value-type="float" office:value="{value}"'
    elif isinstance(value, date):
        kind = f'office:value-type="date" office:date-value="{value.isoformat()}"'
    else:
        kind = 'office:value-type="string"'
    return f"<table:table-cell {kind}><text:p>{shown}</text:p></table:table-cell>"
