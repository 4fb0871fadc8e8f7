"""A code list as people and programs read it: its columns under names that say what they hold.

The third and later columns of a published list are called `map1`, `map2` … in its file; what they
hold stands in the list's title, as "(col 3 = …, col 4 = …)".
"""

import re
from dataclasses import dataclass
from typing import Any

from validators.definitions import CodeList, Standard

_COLUMN = re.compile(r"col (\d) = ([^,;)]+)")
_CODE = re.compile(r"\(code = ([^;)]+)")
_KEYED = re.compile(r"\s*\((?:code|col 3) = .*\)$")
_WORDS = {
    "code": "Code",
    "label": "Label",
    "gss-code": "GSS code",
    "agency_id": "Agency",
    "first_responder": "First responder",
    "agency_type": "Type",
    "childrens_services": "Children's services",
    "county-la": "County authority",
    "local-authority-type": "Type",
}


@dataclass(frozen=True, slots=True)
class Heading:
    """One column: its name in the file, and what it is called."""

    name: str
    title: str


def title_of(codelist: CodeList) -> str:
    """Return the title without what it says of the columns."""
    return _KEYED.sub("", codelist.title)


def note_of(codelist: CodeList) -> str:
    """Return what the title says of the codes themselves, if anything."""
    said = _CODE.search(codelist.title)
    return f"Code: {said[1]}." if said else ""


def headings_of(codelist: CodeList) -> tuple[Heading, ...]:
    """Return the columns in their order."""
    told = {f"map{int(number) - 2}": text for number, text in _COLUMN.findall(codelist.title)}
    names = codelist.rows[0] if codelist.rows else {"code": "", "label": ""}
    return tuple(Heading(name, _sentence(told.get(name) or _worded(name))) for name in names)


def described(codelist: CodeList, standard: Standard) -> dict[str, Any]:
    """Return the list as a JSON document."""
    return {
        "standard": standard.name,
        "version": standard.version,
        "code": codelist.code,
        "title": title_of(codelist),
        "columns": [{"name": each.name, "title": each.title} for each in headings_of(codelist)],
        "rows": [dict(row) for row in codelist.rows],
    }


def users_of(codelist: CodeList, standard: Standard) -> list[tuple[str, str]]:
    """Return each record type and field that takes codes of this list."""
    return [
        (record.code, field.name)
        for record in standard.records.values()
        for field in record.fields
        if codelist.code in (*field.codelists, field.combines)
    ]


def _worded(name: str) -> str:
    return _WORDS.get(name) or name.replace("-", " ").replace("_", " ")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
