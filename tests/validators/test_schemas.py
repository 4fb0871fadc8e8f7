"""Rows: all errors of a row at once, warnings that cost nothing, and no exception for any row."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.validators import samples
from validators.schemas import RowError, build_schema, load_row
from validators.standard import load_standard

STANDARD = load_standard()
TODAY = samples.RECEIVED_ON
SCHEMAS = {code: build_schema(STANDARD, code, today=TODAY) for code in STANDARD.records}
CASE = samples.children(1)["CASE"][0]
NARR = {
    "record_id": CASE["record_id"],
    "record_action": "NEW",
    "narrative_type": "REFLECTION",
    "theme": "GUARD",
    "title": "What helped",
    "body": "A guardian who stayed in touch made the difference for this child.",
    "redaction_confirmed": "true",
    "publishable": "NO",
}


def errors(kind: str, row: dict[str, Any]) -> list[tuple[str | None, str]]:
    record, found = load_row(SCHEMAS[kind], row)
    assert record is None
    return [(error.column, error.rule) for error in found]


@pytest.fixture(scope="module", autouse=True)
def _narrative_codes_are_real() -> None:
    for name in ("narrative_type", "theme", "publishable"):
        allowed = STANDARD.allowed_codes(STANDARD.records["NARR"].field(name))
        NARR[name] = NARR[name] if NARR[name] in allowed else sorted(allowed)[0]


def test_good_row_has_every_field_typed_or_none() -> None:
    record, found = load_row(SCHEMAS["CASE"], CASE)
    assert found == ()
    assert record is not None
    assert tuple(record) == STANDARD.records["CASE"].header
    assert record["age_at_referral"] == int(CASE["age_at_referral"])
    assert record["identification_date"] == date.fromisoformat(CASE["identification_date"])
    assert record["safeguarding_response"] == ("STRAT", "S47")
    assert record["clk"] is None


def test_all_errors_of_a_row_are_told_at_once() -> None:
    row = {**CASE, "sex": "X", "record_id": "", "identification_date": "2026-02-30", "uasc": "yes"}
    assert errors("CASE", row) == [
        ("record_id", "CT-014"),
        ("sex", "CT-016"),
        ("uasc", "CT-016"),
        ("identification_date", "CT-017"),
    ]


def test_error_carries_what_its_message_names() -> None:
    _, found = load_row(SCHEMAS["CASE"], {**CASE, "age_at_referral": "40"})
    assert found == (
        RowError("age_at_referral", "CT-019", {"value": "40", "min": "0", "max": "25"}),
    )


@pytest.mark.parametrize("kind", STANDARD.records)
def test_empty_row_lacks_exactly_its_required_fields(kind: str) -> None:
    required = [field.name for field in STANDARD.records[kind].fields if field.required == "R"]
    assert errors(kind, {}) == [(name, "CT-014") for name in required]


def test_key_that_is_not_ours_is_refused_and_never_a_column() -> None:
    _, found = load_row(SCHEMAS["CASE"], {**CASE, "Jane Example": "1"})
    assert [(error.column, error.rule) for error in found] == [(None, "CT-011")]
    assert found[0].values["given"] == "Jane Example"


def test_narrative_that_may_name_somebody_is_accepted_with_a_warning() -> None:
    body = "The social worker said that a girl called Jane Example had moved away again."
    record, found = load_row(SCHEMAS["NARR"], {**NARR, "body": body})
    assert record is not None
    assert [(error.column, error.rule) for error in found] == [("body", "CT-022")]
    assert STANDARD.rules["CT-022"].severity == "warning"
    assert load_row(SCHEMAS["NARR"], NARR)[1] == ()


def test_today_is_what_the_caller_says() -> None:
    row = {**CASE, "la_notified_date": (TODAY + timedelta(days=1)).isoformat()}
    assert errors("CASE", row) == [("la_notified_date", "CT-017")]
    tomorrow = build_schema(STANDARD, "CASE", today=TODAY + timedelta(days=1))
    assert load_row(tomorrow, row)[1] == ()


def test_schema_is_built_once_a_day() -> None:
    assert build_schema(STANDARD, "CASE", today=TODAY) is SCHEMAS["CASE"]
    with pytest.raises(KeyError):
        build_schema(STANDARD, "NONE", today=TODAY)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_no_row_raises(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(SCHEMAS)))
    columns = st.sampled_from(STANDARD.records[kind].header) | st.text(max_size=6)
    row = data.draw(st.dictionaries(columns, st.text(max_size=20) | JSON, max_size=6))
    record, found = load_row(SCHEMAS[kind], {**(CASE if kind == "CASE" else {}), **row})
    assert (record is None) == any(
        STANDARD.rules[error.rule].severity == "error" for error in found
    )
