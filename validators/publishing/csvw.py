"""CSV on the Web: one metadata document for the tables of a package.

W3C Recommendations "Metadata Vocabulary for Tabular Data" and "Model for Tabular Data and Metadata
on the Web" of 17 December 2015. The document is put beside the CSV files of a package, whose names
are its tables. Codes are patterns, as a column may take several lists and the missing-value codes;
a case that a row refers to may have been sent before, so a reference that a package alone cannot
resolve is not yet a fault.
"""

from collections.abc import Callable, Mapping
from typing import Any

from validators.definitions import Field, RecordType, Standard
from validators.publishing import forms
from validators.publishing.describing import descriptions

CONTEXT = "http://www.w3.org/ns/csvw"

_CASE_ID = "case_id"
_CASE = {
    "columnReference": _CASE_ID,
    "reference": {"resource": "CASE.csv", "columnReference": "record_id"},
}
_CONTEXT_OF_REFERENCE = (
    "A row may refer to a record of an earlier submission, which is not among these tables."
)


def csv_metadata(standard: Standard) -> dict[str, Any]:
    """Return the metadata of a package's tables."""
    return {
        "@context": [CONTEXT, {"@language": "en"}],
        "@type": "TableGroup",
        "dc:title": f"{standard.label}: record files of a package",
        "dc:description": _CONTEXT_OF_REFERENCE,
        "dialect": {"encoding": "utf-8", "delimiter": ",", "header": True},
        "tables": [_table(record, standard) for record in standard.records.values()],
    }


def _table(record: RecordType, standard: Standard) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "columns": _columns(record, standard),
        "primaryKey": "record_id",
    }
    # A reference that may be blank is no foreign key: strict readers refuse the blank.
    if any(field.name == _CASE_ID and field.required == "R" for field in record.fields):
        schema["foreignKeys"] = [_CASE]
    return {
        "@type": "Table",
        "url": f"{record.code}.csv",
        "dc:title": f"{record.code}: {record.title}",
        "dc:description": record.purpose,
        "tableSchema": schema,
    }


def _columns(record: RecordType, standard: Standard) -> list[dict[str, Any]]:
    said = descriptions(record)
    return [
        {
            "name": field.name,
            "titles": field.name,
            "dc:description": said[field.name],
            **_column(field, standard),
        }
        for field in record.fields
    ]


def _column(field: Field, standard: Standard) -> dict[str, Any]:
    separator = {"separator": ";"} if field.type == "code_list" else {}
    datatype = _DATATYPES[field.type](field, standard)
    return {"datatype": datatype, "required": field.required == "R", **separator}


def _code(field: Field, standard: Standard) -> dict[str, Any]:
    return _text(forms.codes_pattern(field, standard))


def _int(field: Field, _standard: Standard) -> dict[str, Any]:
    # A code beyond the range (9999) widens it: one datatype has one range.
    highest = max(map(int, field.extra_codes), default=field.maximum)
    return _without_none({"base": "integer", "minimum": field.minimum, "maximum": highest})


def _decimal(field: Field, _standard: Standard) -> dict[str, Any]:
    limits = {"minimum": field.minimum, "maximum": field.maximum}
    # As text: a number of JSON is a float to some readers, which is no decimal.
    told = {name: str(limit) for name, limit in limits.items() if limit is not None}
    return {"base": "decimal", "format": "#0.##", **told}


def _string(field: Field, _standard: Standard) -> dict[str, Any]:
    form = {"format": forms.whole(field.pattern)} if field.pattern else {}
    length = {"minLength": field.minimum, "maxLength": field.maximum}
    return _without_none({"base": "string", **form, **length})


def _formed(field: Field, _standard: Standard) -> dict[str, Any]:
    return _text(field.pattern or forms.FORMS[field.type])


def _text(pattern: str) -> dict[str, Any]:
    return {"base": "string", "format": forms.whole(pattern)}


def _bool(field: Field, _standard: Standard) -> dict[str, Any]:
    if field.extra_codes:
        return _text(forms.any_of(field.extra_codes))
    return {"base": "boolean", "format": "true|false"}


def _without_none(raw: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in raw.items() if value is not None}


_DATATYPES: Mapping[str, Callable[[Field, Standard], dict[str, Any]]] = {
    "uuid": _formed,
    "code": _code,
    "code_list": _code,
    "string": _string,
    "text": _string,
    "int": _int,
    "decimal": _decimal,
    "bool": _bool,
    "date": lambda *_: {"base": "date", "format": "yyyy-MM-dd", "minimum": "1990-01-01"},
    "partial_date": _formed,
    "yyyy-mm": _formed,
    "hex64": _formed,
    "base64": _formed,
}
