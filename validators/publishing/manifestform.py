"""JSON Schema 2020-12 of the manifest, read off the marshmallow schema that the gateway uses.

Nothing of it is written a second time: types, patterns, limits and what is required are those of
`manifestschema`; the sentences are those of section 3. What holds between keys is left to the
rules. Raises TypeError for a kind of field that it does not know, rather than leave it open.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from validators.definitions import Standard
from validators.manifestschema import ManifestSchema, Matches
from validators.publishing.recordschema import DIALECT, schema_id

_SCOPE = (
    "The file manifest.json of a package. That a replacement names what it replaces, that files "
    "and counts are those of the package, and that the signature is the agency's, is for the rules."
)


def manifest_schema(standard: Standard) -> dict[str, Any]:
    """Return the schema of the manifest."""
    found = _object(ManifestSchema(standard))
    for key in standard.manifest_keys:
        found["properties"][key.name] |= {"description": key.note} if key.note else {}
    for name, codelist in (("agency_type", "CL_AGENCY_TYPE"), ("link_scheme", "CL_LINK_SCHEME")):
        found["properties"][name]["enum"] = list(standard.codelists[codelist].items)
    return {
        "$schema": DIALECT,
        "$id": schema_id("manifest", standard),
        "title": f"{standard.label} manifest",
        "description": _SCOPE,
        **found,
    }


def _object(schema: Schema) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: _shape(field) for name, field in schema.fields.items()},
        "required": [name for name, field in schema.fields.items() if field.required],
        "additionalProperties": False,
    }


def _shape(field: fields.Field[Any]) -> dict[str, Any]:
    shape = _bare(field) | _limits(field)
    if field.allow_none:
        return {"anyOf": [{"type": "null"}, shape]}
    return shape


def _bare(field: fields.Field[Any]) -> dict[str, Any]:
    own: Mapping[str, Any] | None = getattr(field, "shape", None)
    if own is not None:
        return dict(own)
    match field:
        case fields.String():
            return {"type": "string"}
        case fields.Nested():
            return _object(field.schema)
        case fields.List():
            return {"type": "array", "items": _shape(field.inner)}
        case fields.Dict(key_field=key, value_field=value) if key and value:
            return {
                "type": "object",
                "propertyNames": _shape(key),
                "additionalProperties": _shape(value),
            }
    raise TypeError(f"{type(field).__name__} has no counterpart in JSON Schema")


def _limits(field: fields.Field[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in field.validators:
        found |= _limit(each, field)
    return {name: value for name, value in found.items() if value is not None}


def _limit(check: object, field: fields.Field[Any]) -> dict[str, Any]:
    match check:
        case validate.OneOf(choices=Iterable() as choices):
            return {"enum": list(choices)}
        case validate.Range(min=low, max=high):
            return {"minimum": low, "maximum": high}
        case validate.Length(min=low, max=high) if isinstance(field, fields.List):
            return {"minItems": low, "maxItems": high}
        case validate.Length(min=low, max=high):
            return {"minLength": low, "maxLength": high}
        case Matches(pattern=pattern):
            return {"pattern": f"^(?:{pattern.pattern})$"}
    return {}  # a check of ours that a schema has no word for
