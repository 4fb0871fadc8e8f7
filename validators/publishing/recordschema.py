"""JSON Schema 2020-12 of a record type: one line of a JSON Lines file.

Says what a schema can say of one value at a time: names, types, codes, patterns, limits, what is
required and what counts as not given. A value may be typed (a number, true, an array of codes) or
the text of the CSV cell, as the gateway takes both. Whatever the gateway clears, the schema
accepts; the other way round it is the gateway that decides: rules between fields, dates that are
not to come, identifiers in texts and the bits of a linkage key are not handled here.
"""

from collections.abc import Callable, Mapping
from typing import Any

from validators.definitions import Field, RecordType, Standard
from validators.publishing import forms
from validators.publishing.describing import descriptions

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_BLANK: Schema = {
    "description": "Not given: null, or no text but spaces.",
    "anyOf": [{"type": "null"}, {"type": "string", "pattern": "^ *$"}],
}
_BLANK_LIST: Schema = {
    "description": "Not given: null, no text but spaces, or no code at all.",
    "anyOf": [*_BLANK["anyOf"], {"type": "array", "maxItems": 0}],
}
_PLAIN_TEXT = r"^(?:\r\n|[^\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069])*$"
_SCOPE = (
    "One record as a line of JSON Lines. A value has its own type, or is the text of the CSV cell. "
    "Conditional fields and everything between fields are for the rules: see the rules page."
)


def record_schema(record: RecordType, standard: Standard) -> Schema:
    """Return the schema of a record type."""
    said = descriptions(record)
    properties = {
        field.name: {"description": said[field.name], **_property(field, standard)}
        for field in record.fields
    }
    return {
        "$schema": DIALECT,
        "$id": schema_id(record.code, standard),
        "title": f"{standard.label} {record.code}: {record.title}",
        "description": f"{record.purpose} {_SCOPE}",
        "type": "object",
        "properties": properties,
        "required": [field.name for field in record.fields if field.required == "R"],
        "additionalProperties": False,
        "$defs": _definitions(record, standard),
    }


def schema_id(name: str, standard: Standard) -> str:
    """Return the name of a schema, the same wherever it is published."""
    return f"urn:{standard.name.lower()}:{standard.version}:schema:{name}"


def _definitions(record: RecordType, standard: Standard) -> Schema:
    lists = {name for field in record.fields for name in field.codelists if _is_whole(field)}
    lists |= {"CL_SENTINEL"} if any(field.sentinels for field in record.fields) else set()
    named: Schema = {"blank": _BLANK, "blank_list": _BLANK_LIST}
    for name in sorted(lists):
        codelist = standard.codelists[name]
        named[name] = {"title": codelist.title, "type": "string", "enum": list(codelist.items)}
    return named


def _property(field: Field, standard: Standard) -> Schema:
    value = _SHAPES[field.type](field, standard)
    said = {"$comment": f"Privacy class {field.privacy}."}
    if field.required == "R":
        return {**said, **value}
    blank = "blank_list" if field.type == "code_list" else "blank"
    return {**said, "anyOf": [{"$ref": f"#/$defs/{blank}"}, value]}


def _code(field: Field, standard: Standard) -> Schema:
    return _any(_codes(field, standard))


def _code_list(field: Field, standard: Standard) -> Schema:
    most = {} if field.max_codes is None else {"maxItems": field.max_codes}
    several: Schema = {
        "type": "array",
        "items": _code(field, standard),
        "minItems": 1,
        "uniqueItems": True,
        **most,
    }
    alone = {"maxItems": 1}
    without = {"items": {"not": {"enum": sorted(standard.alone_in(field))}}}
    joined = forms.whole(forms.joined_pattern(field, standard))
    return {"anyOf": [several | {"anyOf": [alone, without]}, {"type": "string", "pattern": joined}]}


def _codes(field: Field, standard: Standard) -> list[Schema]:
    if not _is_whole(field):
        return [{"type": "string", "enum": sorted(standard.allowed_codes(field))}]
    found: list[Schema] = [{"$ref": f"#/$defs/{name}"} for name in field.codelists]
    if field.extra_codes:
        found.append({"type": "string", "enum": list(field.extra_codes)})
    if field.pattern:
        found.append({"type": "string", "pattern": forms.whole(field.pattern)})
    if field.sentinels:
        found.append({"$ref": "#/$defs/CL_SENTINEL"})
    return found


def _is_whole(field: Field) -> bool:
    """Whether a field takes its lists as they are, nothing left out and nothing combined."""
    return field.combines is None and not field.excluded_codes


def _number(field: Field, *, kind: str) -> Schema:
    limits = {"minimum": field.minimum, "maximum": field.maximum}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    extra: list[Schema] = [{"enum": [int(code) for code in field.extra_codes]}]
    text = {"type": "string", "pattern": forms.whole(forms.FORMS[field.type]), "maxLength": 18}
    return _any([{"type": kind, **given}, *(extra if field.extra_codes else []), text])


def _bool(field: Field, _standard: Standard) -> Schema:
    texts = field.extra_codes or ("true", "false")
    return {"enum": [*(text == "true" for text in texts), *texts]}


def _string(field: Field, _standard: Standard) -> Schema:
    return {
        "type": "string",
        "minLength": field.minimum,
        "maxLength": field.maximum,
        "pattern": forms.whole(field.pattern or ".*"),
        "not": {"pattern": "^[=+@-]"},  # what a spreadsheet would take for a formula (CT-020)
    }


def _text(field: Field, _standard: Standard) -> Schema:
    # CR LF counts as one character, which a schema cannot count: such a text is not measured.
    length = [{"maxLength": field.maximum}, {"pattern": r"\r\n"}]
    return {
        "type": "string",
        "minLength": field.minimum,
        "pattern": _PLAIN_TEXT,
        "anyOf": length,
    }


def _formed(field: Field, _standard: Standard) -> Schema:
    form: Schema = {"type": "string", "pattern": forms.whole(forms.FORMS[field.type])}
    if field.type == "date":
        form["format"] = "date"
    if field.pattern:
        form["allOf"] = [{"pattern": forms.whole(field.pattern)}]
    return form


def _any(choices: list[Schema]) -> Schema:
    return choices[0] if len(choices) == 1 else {"anyOf": choices}


_SHAPES: Mapping[str, Callable[[Field, Standard], Schema]] = {
    "uuid": _formed,
    "code": _code,
    "code_list": _code_list,
    "string": _string,
    "text": _text,
    "int": lambda field, _: _number(field, kind="integer"),
    "decimal": lambda field, _: _number(field, kind="number"),
    "bool": _bool,
    "date": _formed,
    "partial_date": _formed,
    "yyyy-mm": _formed,
    "hex64": _formed,
    "base64": _formed,
}
