"""Findings: whole sentences for the agency, and nothing of the agency's once redacted."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.validators import samples
from validators.findings import Finding, finding
from validators.schemas import build_schema, load_row
from validators.standard import load_standard

STANDARD = load_standard()
SECRET = "JANE"
PLACEHOLDERS = {
    *("detail", "value", "start", "end", "expected", "type", "actual", "name", "date"),
    *("field", "codelist", "min", "max", "kind", "pct", "action", "reason", "age", "month", "la"),
    *("nation", "n", "state", "event", "measure", "sum", "total", "a", "b", "old", "new"),
}
# What a redacted sentence may repeat: names of the standard, limits and counts, all made by us.
OURS = {"codelist", "min", "max", "kind", "pct", "expected", "actual", "n"}
OURS_BY_RULE = {"CT-006": {"type"}, "CT-015": {"type"}}


def fill(code: str) -> Finding:
    """A finding in which everything that a sender could write holds the secret."""
    ours = dict.fromkeys(OURS | OURS_BY_RULE.get(code, set()), "7")
    theirs = dict.fromkeys(PLACEHOLDERS - ours.keys() - {"detail"}, f"x{SECRET}x")
    place = {"file": f"attachments/{SECRET}.pdf", "column": f"{SECRET}"}
    return finding(code, row=4, given=SECRET, **place, **ours, **theirs)


def test_every_placeholder_of_the_standard_is_tried() -> None:
    used = {
        name for rule in STANDARD.rules.values() for name in re.findall(r"{(\w+)}", rule.message)
    }
    assert used - {"column"} == PLACEHOLDERS


@pytest.mark.parametrize("code", STANDARD.rules)
def test_redacted_finding_repeats_nothing_of_the_sender(code: str) -> None:
    whole = fill(code)
    bare = whole.redacted()
    assert SECRET in json.dumps(whole.to_dict())
    assert SECRET not in json.dumps(bare.to_dict())
    assert bare.row == 4
    assert bare.redacted() == bare


@pytest.mark.parametrize("code", STANDARD.rules)
def test_sentences_are_whole_with_and_without_values(code: str) -> None:
    for found in (fill(code), fill(code).redacted(), finding(code)):
        assert not {"{", "}"} & set(found.message())
        assert found.message().endswith((".", "?"))
        assert found.mend in (STANDARD.rules[code].mend, *STANDARD.rules[code].mends.values())


@pytest.mark.parametrize("code", STANDARD.rules)
def test_finding_takes_weight_and_level_from_the_standard(code: str) -> None:
    rule, found = STANDARD.rules[code], finding(code)
    assert (found.severity, found.level) == (rule.severity, rule.level)


@pytest.mark.parametrize(
    ("found", "whole", "bare"),
    [
        (
            finding("CT-016", file="CASE.csv", row=4, column="sex", value="X", codelist="CL_SEX"),
            "sex: 'X' is not in CL_SEX.",
            "sex: the value is not in CL_SEX.",
        ),
        (
            finding("CT-019", column="age_at_referral", value="40", min=0, max=25),
            "age_at_referral: 40 is outside 0 to 25.",
            "age_at_referral: the value is outside 0 to 25.",
        ),
        (
            finding("CT-032", age="9", month="2010-06", date="2026-02-10"),
            "Age 9 does not fit birth month 2010-06 and date 2026-02-10.",
            "The age does not fit the birth month and the date.",
        ),
        (
            finding("CT-006", expected="5", type="CASE", actual="4"),
            "The manifest says 5 CASE rows but 4 arrived.",
            "The manifest says 5 CASE rows but 4 arrived.",
        ),
        (
            finding("CT-007", file="attachments/jane.pdf", name="attachments/jane.pdf"),
            "File attachments/jane.pdf is missing, unlisted or its checksum differs.",
            "File attachments/… is missing, unlisted or its checksum differs.",
        ),
        (
            finding("CT-011", file="CASE.csv", name="CASE.csv", detail="no header", given="Jane"),
            "CASE.csv: no header (Jane).",
            "CASE.csv: no header.",
        ),
        (
            finding("CT-011", file="CASE.csv", name="CASE.csv", column="sex", detail="is missing"),
            "sex: is missing.",
            "sex: is missing.",
        ),
        (
            finding("CT-001", file="manifest.json", detail="contact is required"),
            "The manifest is missing or incomplete: contact is required.",
            "The manifest is missing or incomplete: contact is required.",
        ),
        (
            finding("CT-012", file="CASE.csv", column="address_line*"),
            "Column address_line* is a direct identifier and must not be sent.",
            "Column address_line* is a direct identifier and must not be sent.",
        ),
        (
            finding("CT-021", file="CASE.csv", column="person_ref", kind="NHS number"),
            "person_ref looks as if it holds a personal identifier (NHS number). Remove it.",
            "person_ref looks as if it holds a personal identifier (NHS number). Remove it.",
        ),
    ],
)
def test_message(found: Finding, whole: str, bare: str) -> None:
    assert (found.message(), found.redacted().message()) == (whole, bare)


def test_record_type_is_that_of_the_file() -> None:
    assert finding("CT-014", file="EXPL.jsonl").record_type == "EXPL"
    for file in (None, "manifest.json", "JANE.csv", "attachments/CASE.csv", "CASE.csv\n"):
        assert finding("CT-014", file=file).record_type is None


def test_value_is_cut_and_made_harmless() -> None:
    found = finding(
        "CT-016", column="sex", codelist="CL_SEX", value="\x1b[31m\u202e{kind}" + "x" * 500
    )
    assert "\\u001b[31m\\u202e{kind}xxx" in found.message()
    assert len(found.message()) < 150
    assert found.message().isprintable()


def test_dict_and_back() -> None:
    found = finding("CT-016", file="CASE.csv", row=4, column="sex", value="X", codelist="CL_SEX")
    told = json.loads(json.dumps(found.to_dict()))
    assert Finding.from_dict(told, STANDARD) == found
    assert told == {
        "rule": "CT-016",
        "severity": "error",
        "level": "field",
        "file": "CASE.csv",
        "sheet": None,
        "row": 4,
        "column": "sex",
        "record_type": "CASE",
        "values": {"field": "sex", "value": "X", "codelist": "CL_SEX"},
        "message": "sex: 'X' is not in CL_SEX.",
        "mend": "Write one of F, I, M or U, in capital and small letters as here.",
        "link": "/standard/1.0/rules#CT-016",
    }


def test_rule_that_does_not_exist_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError):
        finding("CT-999")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_row_leaves_anything_in_its_redacted_findings(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(STANDARD.records)))
    header = STANDARD.records[kind].header
    text = st.text(max_size=8).map(lambda around: f"{around}{SECRET}{around}")
    row = data.draw(st.dictionaries(st.sampled_from(header) | text, text, max_size=8))
    _, errors = load_row(build_schema(STANDARD, kind, today=samples.RECEIVED_ON), row)
    for error in errors:
        found = finding(error.rule, file=f"{kind}.csv", row=2, column=error.column, **error.values)
        assert SECRET not in json.dumps(found.redacted().to_dict())
        assert SECRET not in found.redacted().message()


def test_every_column_has_a_mend_of_its_own_for_a_value_of_another_form() -> None:
    """Of the types that CT-015 is about; text says in the finding what is wrong."""
    general = STANDARD.rules["CT-015"].mend
    for kind, record in STANDARD.records.items():
        for field in record.fields:
            found = finding("CT-015", file=f"{kind}.csv", row=2, column=field.name)
            own = field.type not in ("code", "code_list", "text")
            assert (found.mend != general) == own, field.name


@pytest.mark.parametrize(
    ("file", "column", "mend"),
    [
        ("CASE.csv", "link_scheme", "Write one of CTL1-2025, "),
        ("MISS.csv", "return_interview", "Write one of "),
        ("CASE.csv", "nationality_1", "Choose the code itself"),
        ("CASE.csv", "no_such_column", "Choose the code itself"),
        ("manifest.json", "agency_id", "Choose the code itself"),
    ],
)
def test_few_codes_are_named_and_many_are_looked_up(file: str, column: str, mend: str) -> None:
    assert finding("CT-016", file=file, row=2, column=column).mend.startswith(mend)


def test_a_report_of_a_later_version_keeps_the_mend_that_it_was_told() -> None:
    told = finding("CT-016", file="CASE.csv", row=2, column="sex", value="X").to_dict()
    later = {**told, "rule": "CT-777", "mend": "Even it."}
    assert Finding.from_dict(later, STANDARD).mend == "Even it."
