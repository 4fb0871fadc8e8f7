"""Fields: for each of the 175 a value that is taken, values that are not, and the rule broken."""

import base64
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from validators.fields import TYPES, Fault, FieldContext, field_for
from validators.fields.ids import DEFAULT_TOKENS
from validators.standard import Field, load_standard

STANDARD = load_standard()
TODAY = date(2026, 4, 10)
CONTEXT = FieldContext(STANDARD, TODAY)
FIELDS = {
    f"{code}.{field.name}": field
    for code, kind in STANDARD.records.items()
    for field in kind.fields
}
MADE = {name: field_for(field, CONTEXT) for name, field in FIELDS.items()}
TOKEN = "0123456789abcdef" * 4
CLK = base64.b64encode(bytes.fromhex("0f" * 128)).decode()
UUID = "0c9f1d1e-6f0a-4c1b-8a55-4a4d8e1f9b10"


def clk_of(bits: int) -> str:
    """A linkage key of which so many bits are set."""
    return base64.b64encode(((1 << bits) - 1).to_bytes(128, "big")).decode()


def load(name: str, value: object) -> Any:
    return MADE[name].deserialize(value)


def faults(name: str, value: object) -> list[Fault]:
    with pytest.raises(ValidationError) as refused:
        load(name, value)
    return list(refused.value.messages)


def broken(name: str, value: object) -> list[str]:
    return [fault.rule for fault in faults(name, value)]


def sample(field: Field) -> str:
    """A value that the field must take, made from its published definition alone."""
    patterns = {"primary_language": "vie", "cin_factors": "9A;12A"}
    if field.name in patterns:
        return patterns[field.name]
    if field.type in ("code", "code_list"):
        return next(iter(sorted(STANDARD.allowed_codes(field))))
    return {
        "uuid": UUID,
        "string": "Abcd-123_4.txt" if field.name == "attachment_name" else "Abcd-123_4",
        "text": "What helped was a trusted adult who stayed. " * 3,
        "int": str(field.maximum),
        "decimal": "12.50",
        "bool": "true",
        "date": "2026-02-28",
        "partial_date": "2025-11",
        "yyyy-mm": "2010-06",
        "hex64": TOKEN,
        "base64": CLK,
    }[field.type]


def spoilt(field: Field) -> tuple[str, str]:
    """A value that the field must refuse, and the rule that it breaks."""
    if field.privacy == "L":
        return "Jane Example", "CT-102"
    return {
        "uuid": (UUID.upper(), "CT-015"),
        "code": ("no such code", "CT-016"),
        "code_list": ("UNK;UNK", "CT-018" if _takes_unknown(field) else "CT-016"),
        "string": ("no such thing!", "CT-015"),
        "text": ("x", "CT-015"),
        "int": (str((field.maximum or 0) + 1), "CT-019"),
        "decimal": ("10000000.01", "CT-019"),
        "bool": ("TRUE", "CT-015"),
        "date": ("2026-02-30", "CT-017"),
        "partial_date": ("2026-13", "CT-017"),
        "yyyy-mm": ("2026-05", "CT-017"),
        "hex64": (TOKEN[1:], "CT-015"),
    }[field.type]


def _takes_unknown(field: Field) -> bool:
    return "UNK" in STANDARD.allowed_codes(field)


def test_every_type_of_the_standard_has_a_field() -> None:
    assert {field.type for field in FIELDS.values()} == set(TYPES)


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_takes_a_value_that_fits(name: str) -> None:
    assert load(name, sample(FIELDS[name])) is not None


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_refuses_a_value_that_does_not(name: str) -> None:
    value, rule = spoilt(FIELDS[name])
    assert broken(name, value) == [rule]


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("blank", ["", "   ", None])
def test_blank_is_not_given(name: str, blank: object) -> None:
    if FIELDS[name].required == "R":
        assert broken(name, blank) == ["CT-014"]
    else:
        assert load(name, blank) is None


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize(
    "value",
    [1.5, {"a": 1}, [["a"]], [1], float("nan"), 10**5000, b"x"],
    ids=lambda value: type(value).__name__,
)
def test_value_of_another_kind_is_refused(name: str, value: object) -> None:
    assert broken(name, value)[0] in {"CT-015", "CT-019", "CT-102"}


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("suffix", ["\n", "\u00a0", "\x00", " "])
def test_nothing_is_trimmed(name: str, suffix: str) -> None:
    field = FIELDS[name]
    if field.type == "text" and suffix != "\x00":
        return
    assert broken(name, sample(field) + suffix)


@pytest.mark.parametrize(
    ("name", "value", "typed"),
    [
        ("CASE.record_id", UUID, UUID),
        ("CASE.age_at_referral", "17", 17),
        ("CASE.age_at_referral", 0, 0),
        ("CASE.age_at_referral", "25", 25),
        ("CASE.safeguarding_response", "STRAT;S47", ("STRAT", "S47")),
        ("CASE.safeguarding_response", ["STRAT", "S47"], ("STRAT", "S47")),
        ("CASE.safeguarding_response", "NONE", ("NONE",)),
        ("CASE.identification_date", "1990-01-01", date(1990, 1, 1)),
        ("CASE.identification_date", "2026-04-10", TODAY),
        ("CASE.birth_year_month", "2026-04", "2026-04"),
        ("EXPL.start_date", "2026", "2026"),
        ("EXPL.start_date", "2024-02-29", "2024-02-29"),
        ("EXPL.uk_entry_date", "2024", "2024"),
        ("EXPL.is_primary", False, False),
        ("EXPL.is_primary", "false", False),
        ("EXPL.uk_la", "UNK", ("UNK",)),
        ("EXPL.transit_country", "FRA;NCL", ("FRA", "NCL")),
        ("JUST.compensation_gbp", "0", Decimal(0)),
        ("JUST.compensation_gbp", 250, Decimal(250)),
        ("JUST.compensation_gbp", "1234.5", Decimal("1234.5")),
        ("JUST.sentence_months", "9999", 9999),
        ("JUST.sentence_months", 9999, 9999),
        ("JUST.police_outcome", "22", "22"),
        ("JUST.police_outcome", "WHD", "WHD"),
        ("CARE.cin_factors", "9A;12A;20", ("9A", "12A", "20")),
        ("ACTV.exploitation_type", "DOM+LAB+SEX", "DOM+LAB+SEX"),
        ("ACTV.area", "K04000001", "K04000001"),
        ("CASE.clk", clk_of(103), clk_of(103)),
        ("CASE.clk", clk_of(716), clk_of(716)),
        ("NARR.redaction_confirmed", True, True),
        ("NARR.title", "= a title that begins so", "= a title that begins so"),
        ("NARR.body", "one\r\ntwo\tthree" + "." * 50, "one\ntwo\tthree" + "." * 50),
    ],
)
def test_value_is_typed(name: str, value: object, typed: object) -> None:
    loaded = load(name, value)
    assert (loaded, type(loaded)) == (typed, type(typed))


@pytest.mark.parametrize(
    ("name", "value", "rules"),
    [
        # ids: other versions can be guessed, other spellings would not be equal
        ("CASE.record_id", "0922e397-eba4-59ed-ac4a-45f8d575e516", ["CT-015"]),
        ("CASE.record_id", "00000000-0000-0000-0000-000000000000", ["CT-015"]),
        ("CASE.record_id", "{" + UUID + "}", ["CT-015"]),
        ("CASE.record_id", UUID.replace("-", ""), ["CT-015"]),
        ("EXPL.case_id", "UNK", ["CT-015"]),
        # codes
        ("CASE.sex", "f", ["CT-016"]),
        ("CASE.sex", "UNK", ["CT-016"]),
        ("CASE.ethnicity", "NCL", ["CT-016"]),
        ("CASE.record_action", "UNK", ["CT-016"]),
        ("CASE.referral_nation", "UK", ["CT-016"]),
        ("CASE.referral_nation", "K04000001", ["CT-016"]),
        ("CASE.nationality_1", "\u0410LB", ["CT-016"]),
        ("CASE.primary_language", "English", ["CT-016"]),
        ("CASE.nationality_1", "=cmd|'/c calc'!A1", ["CT-020"]),
        ("CASE.nationality_1", "@SUM(1)", ["CT-020"]),
        ("CASE.nationality_1", "\tGBR", ["CT-020"]),
        ("CASE.nationality_1", "\rGBR", ["CT-020"]),
        ("CASE.nationality_1", "GBR\u202e", ["CT-020"]),
        ("CASE.nationality_1", "jane@example.org", ["CT-021"]),
        ("CASE.nationality_1", "+44 7700 900123", ["CT-021"]),
        ("CASE.nrm_referred", True, ["CT-015"]),
        ("JUST.police_outcome", "23", ["CT-016"]),
        ("JUST.police_outcome", "07", ["CT-016"]),
        ("CARE.cin_factors", "25A", ["CT-016"]),
        ("ACTV.exploitation_type", "LAB+CRIM", ["CT-016"]),
        ("ACTV.sex", "total", ["CT-016"]),
        # several codes
        ("CASE.safeguarding_response", "STRAT;STRAT", ["CT-018"]),
        ("CASE.safeguarding_response", "STRAT;NONE", ["CT-018"]),
        ("CASE.disability", "MOB;WHD", ["CT-018"]),
        ("EXPL.transit_country", "FRA;UNK", ["CT-018"]),
        ("EXPL.uk_pfa", "E23000001;NCL", ["CT-018"]),
        ("CASE.safeguarding_response", "STRAT,S47", ["CT-016"]),
        ("CASE.safeguarding_response", "STRAT; S47", ["CT-016"]),
        ("CASE.safeguarding_response", "STRAT;", ["CT-016"]),
        ("CASE.safeguarding_response", "A;B;STRAT", ["CT-016", "CT-016"]),
        ("CASE.safeguarding_response", ["STRAT", 5], ["CT-015"]),
        # numbers
        ("CASE.age_at_referral", "-1", ["CT-019"]),
        ("CASE.age_at_referral", "26", ["CT-019"]),
        ("CASE.age_at_referral", "9" * 400, ["CT-019"]),
        ("CASE.age_at_referral", "9" * 60_000, ["CT-019"]),
        ("CASE.age_at_referral", 10**400, ["CT-019"]),
        ("CASE.age_at_referral", True, ["CT-015"]),
        ("CASE.age_at_referral", 15.0, ["CT-015"]),
        ("CASE.age_at_referral", "15.0", ["CT-015"]),
        ("CASE.age_at_referral", "1e1", ["CT-015"]),
        ("CASE.age_at_referral", "+5", ["CT-015"]),
        ("CASE.age_at_referral", "05", ["CT-015"]),
        ("CASE.age_at_referral", "\u0665", ["CT-015"]),
        ("CASE.age_at_referral", "1_0", ["CT-015"]),
        ("CASE.age_at_exploitation_start", "18", ["CT-019"]),
        ("JUST.sentence_months", "1201", ["CT-019"]),
        ("ACTV.denominator", "0", ["CT-019"]),
        ("ACTV.count", "1,000", ["CT-015"]),
        ("JUST.compensation_gbp", "NaN", ["CT-015"]),
        ("JUST.compensation_gbp", "Infinity", ["CT-015"]),
        ("JUST.compensation_gbp", "12.345", ["CT-015"]),
        ("JUST.compensation_gbp", "\u00a35", ["CT-015"]),
        ("EXPL.is_primary", "1", ["CT-015"]),
        ("EXPL.is_primary", 1, ["CT-015"]),
        ("NARR.redaction_confirmed", False, ["CT-098"]),
        ("NARR.redaction_confirmed", "false", ["CT-098"]),
        # dates
        ("CASE.identification_date", "1989-12-31", ["CT-017"]),
        ("CASE.identification_date", "2026-04-11", ["CT-017"]),
        ("CASE.identification_date", "0000-00-00", ["CT-017"]),
        ("CASE.identification_date", "10/04/2026", ["CT-015"]),
        ("CASE.identification_date", "20260410", ["CT-015"]),
        ("CASE.identification_date", "2026-W15-5", ["CT-015"]),
        ("CASE.identification_date", "2026-04-10T00:00", ["CT-015"]),
        ("CASE.identification_date", "\u0662\u0660\u0662\u0666-01-01", ["CT-015"]),
        ("CASE.birth_year_month", "2009-03-07", ["CT-015"]),
        ("CASE.birth_year_month", "1989-12", ["CT-017"]),
        ("CASE.birth_year_month", "2009-00", ["CT-017"]),
        ("EXPL.start_date", "1989", ["CT-017"]),
        ("EXPL.start_date", "2027", ["CT-017"]),
        ("EXPL.start_date", "2025-02-29", ["CT-017"]),
        ("EXPL.uk_entry_date", "2024-05-06", ["CT-015"]),
        # strings and text
        ("CASE.person_ref", "short", ["CT-015"]),
        ("CASE.person_ref", "x" * 65, ["CT-015"]),
        ("CASE.person_ref", "Jane Example", ["CT-015"]),
        ("CASE.person_ref", "-abcdefgh", ["CT-020"]),
        ("CASE.person_ref", "9434765919", ["CT-021"]),
        ("CASE.person_ref", "CHILD-AB123456C", ["CT-021"]),
        ("NARR.attachment_name", "../passwd", ["CT-015"]),
        ("NARR.title", "abc", ["CT-015"]),
        ("NARR.title", "x" * 201, ["CT-015"]),
        ("NARR.body", "a\x1b[31m" + "x" * 50, ["CT-020"]),
        ("NARR.body", "a\rb" + "x" * 50, ["CT-020"]),
        ("NARR.body", "\u2066" + "x" * 50, ["CT-020"]),
        ("NARR.body", "\ud800" + "x" * 50, ["CT-020"]),
        ("NARR.body", "She lives at SW1A 1AA now, and likes the new school very much.", ["CT-021"]),
        # linkage
        ("CASE.lt_nrm", "0" * 64, ["CT-102"]),
        ("CASE.lt_nrm", TOKEN.upper(), ["CT-102"]),
        ("CASE.clk", CLK[:-1], ["CT-102"]),
        ("CASE.clk", base64.b64encode(bytes(128)).decode(), ["CT-102"]),
        ("CASE.clk", base64.b64encode(b"\xff" * 128).decode(), ["CT-102"]),
        ("CASE.clk", base64.b64encode(bytes.fromhex("0f" * 127)).decode(), ["CT-102"]),
        ("CASE.clk", CLK[:-2] + "9=", ["CT-102"]),
        ("CASE.clk", clk_of(102), ["CT-102"]),
        ("CASE.clk", clk_of(717), ["CT-102"]),
        ("CASE.clk", "\u00e9" * 172, ["CT-102"]),
        ("NARR.attachment_sha256", "x", ["CT-015"]),
    ],
)
def test_value_breaks_these_rules(name: str, value: object, rules: list[str]) -> None:
    assert broken(name, value) == rules


def test_list_of_authorities_has_an_end() -> None:
    codes = list(STANDARD.codelists["CL_LA"].items)
    assert len(load("EXPL.uk_la", ";".join(codes[:10]))) == 10
    [fault] = faults("EXPL.uk_la", ";".join(codes[:11]))
    assert (fault.rule, fault.values) == ("CT-018", {"detail": "has 11 codes; 10 are allowed"})


def test_many_bad_codes_are_not_all_told() -> None:
    assert len(broken("EXPL.uk_la", ";".join(f"X{n}" for n in range(5_000)))) == 10


@pytest.mark.parametrize(
    "blank",
    [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",  # SHA-256 of nothing
        "0ddc6d5614178a077652fd9f790ca2527ccb0f99a14fcfeb822b8f03d2ff949f",  # section 6.5
        "edb441f05d91d9b76cb0553f830839bfc98646920742f3aea0744cdc99c9b797",
    ],
)
def test_known_default_tokens_are_refused(blank: str) -> None:
    assert broken("CASE.lt_nrm", blank) == ["CT-102"]
    assert blank in DEFAULT_TOKENS


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.privacy == "L"])
def test_value_in_place_of_a_token_is_not_repeated(name: str) -> None:
    assert [fault.values for fault in faults(name, "Jane Example")] == [{}]


def test_identifier_is_not_repeated() -> None:
    assert [fault.values for fault in faults("CASE.sex", "jane@example.org")] == [
        {"kind": "e-mail address"}
    ]


def test_letter_of_another_script_is_made_visible() -> None:
    [fault] = faults("CASE.nationality_1", "\u0410LB")
    assert fault.values == {"value": "\\u0410LB", "codelist": "CL_COUNTRY"}


@settings(max_examples=1_000, deadline=None)
@given(
    name=st.sampled_from(sorted(FIELDS)),
    value=st.text() | st.from_regex(re.compile(r"[0-9eE+.:;-]{1,12}")),
)
def test_any_text_is_taken_or_refused_by_a_rule_of_the_standard(name: str, value: str) -> None:
    try:
        load(name, value)
    except ValidationError as refused:
        told = [fault.rule for fault in refused.messages]
    else:
        return
    assert told
    assert set(told) <= set(STANDARD.rules)


@given(st.dates(date(1980, 1, 1), date(2040, 1, 1)))
def test_date_is_taken_if_and_only_if_it_can_be(day: date) -> None:
    if date(1990, 1, 1) <= day <= TODAY:
        assert load("CASE.identification_date", day.isoformat()) == day
    else:
        assert broken("CASE.identification_date", day.isoformat()) == ["CT-017"]


@given(st.integers(), st.sampled_from(["CASE.other_children_linked", "ACTV.count"]))
def test_integer_is_the_same_as_its_digits(number: int, name: str) -> None:
    low, high = FIELDS[name].minimum, FIELDS[name].maximum
    assert low is not None
    assert high is not None
    if low <= number <= high:
        assert load(name, number) == load(name, str(number)) == number
    else:
        assert broken(name, number) == broken(name, str(number)) == ["CT-019"]
