"""The names that files of a package bear (CTDS section 2), and addresses of the sheets inside.

A workbook holds one sheet for each record type. A sheet is addressed as the workbook's name, "#"
and the record type: no file name of a package may hold that character, so that the address of a
table is a file's name or a sheet's and never both.
"""

import re
from pathlib import PurePath

MANIFEST_NAME = "manifest.json"
ATTACHMENTS = "attachments/"
WORKBOOK = "RETURN"
RECORD_TYPES = ("CASE", "EXPL", "DECN", "MISS", "GUAR", "CARE", "JUST", "ACTV", "NARR")
_TYPE = "|".join(RECORD_TYPES)
_RECORD_FILE = re.compile(rf"({_TYPE})\.(?:csv|jsonl|xml)")
_WORKBOOK = re.compile(rf"{WORKBOOK}\.(?:xlsx|ods)")
_SHEET = re.compile(rf"({_WORKBOOK.pattern})#({_TYPE})")
_ATTACHMENT = re.compile(r"attachments/(?!\.+$)[A-Za-z0-9._-]{1,100}")


def record_type_of(table: str) -> str | None:
    """Return the record type of a record file or a sheet: CASE for CASE.csv; None for others."""
    match = _RECORD_FILE.fullmatch(table)
    return match[1] if match else sheet_of(table)[1]


def is_workbook(name: str) -> bool:
    """Tell whether a file holds record types as sheets."""
    return _WORKBOOK.fullmatch(name) is not None


def name_in_package(name: str) -> str:
    """Return a workbook's name as packages have it; it may be called anything at home."""
    ending = PurePath(name).suffix.lower()
    return f"{WORKBOOK}{ending}" if is_workbook(f"{WORKBOOK}{ending}") else name


def is_package_name(name: str) -> bool:
    """Tell whether a package may hold a file of this name."""
    fixed = name == MANIFEST_NAME or is_workbook(name) or _RECORD_FILE.fullmatch(name) is not None
    return fixed or _ATTACHMENT.fullmatch(name) is not None


def sheet_address(workbook: str, record_type: str) -> str:
    """Return the address of a sheet, such as RETURN.xlsx#CASE."""
    return f"{workbook}#{record_type}"


def spoken(table: str) -> str:
    """Return the address of a table as people say it: RETURN.xlsx, sheet CASE."""
    file, sheet = sheet_of(table)
    return file if sheet is None else f"{file}, sheet {sheet}"


def sheet_of(table: str) -> tuple[str, str | None]:
    """Return the file of a table, and its sheet where that file is a workbook."""
    match = _SHEET.fullmatch(table)
    return (match[1], match[2]) if match else (table, None)
