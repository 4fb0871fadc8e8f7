"""The JSON Schema of the manifest says what the gateway's own schema says of each key."""

import json
from copy import deepcopy
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from marshmallow import fields

from tests.validators import samples
from validators.manifestschema import ManifestSchema, faults_of
from validators.publishing import published
from validators.publishing.manifestform import _shape, manifest_schema
from validators.standard import load_standard

STANDARD = load_standard()
SCHEMA: dict[str, Any] = json.loads(published()["1.0/schemas/manifest.schema.json"])
JUDGE = Draft202012Validator(SCHEMA)
GOOD: dict[str, Any] = dict(samples.package(STANDARD, samples.children(2)).manifest)
VALUES = (
    *(None, "", " ", "x", "x\n", "CTDS", 0, 1, -1, 1.5, True, False, [], {}, [{}], "2026-01-01"),
    *("2026-01-01T10:00:00Z", "2026-1-1", "RETURN", "MONTH", "POLICE", "CTL1-2026", "a" * 3000),
    *("0f6d0b4e-6a3c-4c1e-9f55-1d2f6a1b0c01", "A" * 40, "PUBLIC_TASK", "PUBLIC_TASK: art. 9(2)(g)"),
)
PLACES = (
    *((key,) for key in GOOD),
    *(("contact", key) for key in GOOD["contact"]),
    *(("sign_off", key) for key in GOOD["sign_off"]),
    *(("coverage", key) for key in GOOD["coverage"]),
    *(("files", 0, key) for key in GOOD["files"][0]),
    *(("record_counts", key) for key in ("CASE", "NONE")),
    *(("unknown",), ("replaces",), ("gateway",), ("software",), ("retention_class",)),
)


def changed(place: tuple[str | int, ...], value: object) -> dict[str, Any]:
    raw = deepcopy(GOOD)
    at: Any = raw
    for part in place[:-1]:
        at = at[part]
    at[place[-1]] = value
    return raw


def test_schema_is_a_schema_and_has_the_keys_of_the_standard() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["properties"]) == {key.name for key in STANDARD.manifest_keys}
    asked = {key.name for key in STANDARD.manifest_keys if key.required == "R"}
    assert set(SCHEMA["required"]) == asked
    assert manifest_schema(STANDARD) == SCHEMA


def test_good_manifest_is_accepted_and_none_else() -> None:
    assert JUDGE.is_valid(GOOD)
    for key in SCHEMA["required"]:
        assert not JUDGE.is_valid({name: each for name, each in GOOD.items() if name != key}), key


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_what_the_gateway_clears_the_schema_accepts(place: tuple[str | int, ...]) -> None:
    for value in VALUES:
        raw = changed(place, value)
        if not faults_of(ManifestSchema(STANDARD), raw):
            assert JUDGE.is_valid(raw), value


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("unknown",), 1),
        (("standard",), "OTHER"),
        (("submission_id",), "0F6D0B4E-6A3C-4C1E-9F55-1D2F6A1B0C01"),
        (("agency_type",), "NONE"),
        (("nil_return",), "true"),
        (("period_start",), "1/1/2026"),
        (("files", 0, "sha256"), "x"),
        (("files", 0, "bytes"), -1),
        (("contact", "mailbox"), ""),
        (("contact", "person"), "x"),
        (("record_counts", "NONE"), 1),
        (("record_counts", "CASE"), "1"),
        (("lawful_basis",), "BECAUSE"),
        (("gateway",), "ABC"),
        (("signature",), "none"),
    ],
    ids=str,
)
def test_what_is_wrong_by_itself_is_refused(place: tuple[str | int, ...], value: object) -> None:
    assert not JUDGE.is_valid(changed(place, value))


def test_kind_of_field_without_a_counterpart_is_not_left_open() -> None:
    with pytest.raises(TypeError, match="Decimal has no counterpart"):
        _shape(fields.Decimal())
