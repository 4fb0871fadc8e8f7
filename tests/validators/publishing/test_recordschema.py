"""The JSON Schemas are schemas, and never refuse what the gateway clears."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.validators import samples, stories
from tests.validators.grid import good_rows
from tests.validators.publishing.boundaries import changed, rules_broken
from validators.publishing import published
from validators.schemas import build_schema, load_row
from validators.standard import load_standard

STANDARD = load_standard()
ROWS = good_rows()
BEYOND = {"CT-017", "CT-019", "CT-020", "CT-021", "CT-102"}
"""Rules on a value of which a schema can say a part only: dates to come, digits of a text, what
looks like an identifier, bits of a linkage key."""


@cache
def schema(kind: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(published()[f"1.0/schemas/{kind}.schema.json"])
    return document


def accepts(kind: str, row: Mapping[str, Any]) -> bool:
    return bool(Draft202012Validator(schema(kind)).is_valid(row))


@cache
def property_of(kind: str, name: str) -> Draft202012Validator:
    whole = schema(kind)
    return Draft202012Validator({"$defs": whole["$defs"], **whole["properties"][name]})


def typed(kind: str, name: str, text: str) -> Iterator[object]:
    """What JSON can write for a text."""
    yield text
    field = STANDARD.records[kind].field(name)
    if field.type == "code_list":
        yield text.split(";")
    if field.type in ("int", "decimal", "bool"):
        try:
            value = json.loads(text, parse_constant=str)
        except ValueError:
            return
        if isinstance(value, bool) or type(value) is int:
            yield value


@pytest.mark.parametrize("kind", STANDARD.records)
def test_schema_is_a_schema_of_2020_12_with_a_name_of_its_own(kind: str) -> None:
    Draft202012Validator.check_schema(schema(kind))
    assert schema(kind)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema(kind)["$id"] == f"urn:ctds:1.0:schema:{kind}"


@pytest.mark.parametrize("kind", STANDARD.records)
def test_schema_has_the_fields_of_the_standard_and_asks_for_the_required(kind: str) -> None:
    record = STANDARD.records[kind]
    assert tuple(schema(kind)["properties"]) == record.header
    assert schema(kind)["required"] == [each.name for each in record.fields if each.required == "R"]
    assert accepts(kind, ROWS[kind])
    assert not accepts(kind, {**ROWS[kind], "forename": "x"})
    assert not accepts(kind, {})
    said = [each["description"] for each in schema(kind)["properties"].values()]
    assert all(said)
    assert not any("as above" in each for each in said)


@pytest.mark.parametrize("kind", STANDARD.records)
def test_what_the_gateway_clears_the_schema_accepts_and_the_other_way_round(kind: str) -> None:
    refused, cleared, seen = [], [], 0
    for of, name, text in dict.fromkeys(changed()):
        if of != kind:
            continue
        for value in typed(kind, name, text):
            seen += 1
            accepted = property_of(kind, name).is_valid(value)
            broken = rules_broken(kind, name, value)
            if not broken and not accepted:
                refused.append((name, value))
            if broken - BEYOND and accepted and not _cannot_be_said(name, kind, value):
                cleared.append((name, value, broken))
    assert seen > 1_000
    assert refused == []
    assert cleared == []


def _cannot_be_said(name: str, kind: str, value: object) -> bool:
    """A code that stands twice in one text: a pattern has no memory."""
    field = STANDARD.records[kind].field(name)
    if field.type != "code_list" or not isinstance(value, str):
        return False
    codes = value.split(";")
    return len(set(codes)) < len(codes)


@pytest.mark.parametrize(
    ("kind", "name", "value", "good"),
    [
        ("CASE", "age_at_referral", 15, True),
        ("CASE", "age_at_referral", 26, False),
        ("CASE", "age_at_referral", 1.5, False),
        ("CASE", "clk", None, True),
        ("CASE", "record_id", None, False),
        ("CASE", "disability", [], True),
        ("CASE", "disability", ["MOB", "MOB"], False),
        ("CASE", "disability", ["UNK"], True),
        ("CASE", "disability", ["UNK", "MOB"], False),
        ("CASE", "clk", [], False),
        ("CASE", "referral_nation", "UK", False),
        ("JUST", "sentence_months", 9999, True),
        ("JUST", "sentence_months", 1201, False),
        ("JUST", "compensation_gbp", 12.29, True),
        ("ACTV", "exploitation_type", "CRIM+LAB", True),
        ("ACTV", "exploitation_type", "LAB+CRIM", False),
        ("EXPL", "is_primary", True, True),
        ("EXPL", "is_primary", 1, False),
        ("EXPL", "uk_entry_date", "2025-03", True),
        ("EXPL", "uk_entry_date", "2025-03-01", False),
        ("NARR", "redaction_confirmed", False, False),
        ("NARR", "title", "x" * 201, False),
        ("NARR", "title", "12345\r\n" + "x" * 194, True),
    ],
)
def test_typed_value(kind: str, name: str, value: object, good: bool) -> None:
    assert property_of(kind, name).is_valid(value) == good


def test_whole_rows_agree() -> None:
    fields = build_schema(STANDARD, "CASE", today=samples.RECEIVED_ON)
    for row in (stories.case(), stories.case(sex="Q"), {}, stories.case(clk="  ")):
        assert (load_row(fields, row)[0] is not None) == accepts("CASE", row)
