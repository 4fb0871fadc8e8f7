"""The standard as carried: whole, equal to what is published, and complete in its sentences."""

import csv
import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from validators.errors import UnknownStandard, ValidatorsError
from validators.standard import AVAILABLE, Field, load_standard, load_standards

STANDARD = load_standard()
FOLDER = Path(str(files("validators"))) / "data/ctds-1.0"
PUBLISHED = json.loads((FOLDER / "standard.json").read_text(encoding="utf-8"))
TEXT = (FOLDER / "STANDARD.md").read_text(encoding="utf-8")
CASE_BASED = ["CASE", "EXPL", "DECN", "MISS", "GUAR", "CARE", "JUST"]
ALL_FIELDS = [(code, field) for code, kind in STANDARD.records.items() for field in kind.fields]


def test_standard_has_its_nine_record_types_and_175_fields() -> None:
    assert list(STANDARD.records) == [*CASE_BASED, "ACTV", "NARR"]
    counts = {code: len(kind.fields) for code, kind in STANDARD.records.items()}
    assert sum(counts.values()) == 175
    assert (len(STANDARD.rules), len(STANDARD.codelists), len(STANDARD.agencies)) == (106, 72, 289)
    assert (STANDARD.label, len(STANDARD.manifest_keys)) == ("CTDS 1.0", 23)


@pytest.mark.parametrize("code", STANDARD.records)
def test_record_type_is_what_is_published(code: str) -> None:
    kind, raw = STANDARD.records[code], PUBLISHED["records"][code]
    assert (kind.code, kind.title, kind.purpose) == (code, raw["title"], raw["purpose"])
    assert kind.header == tuple(field["name"] for field in raw["fields"])
    for field, given in zip(kind.fields, raw["fields"], strict=True):
        assert kind.field(field.name) is field
        said = (field.type, field.required, field.values, field.privacy, field.note)
        assert said == tuple(given[key] for key in ("type", "req", "values", "privacy", "note"))


@pytest.mark.parametrize("code", STANDARD.records)
def test_record_type_in_the_data_is_the_one_in_the_text(code: str) -> None:
    section = TEXT.split(f"{code} — ")[1].split("\n### ")[0]
    told = re.findall(r"^\| `(\w+)` \| ([\w-]+) \| ([RCO]) \| (.*?) \| ([NQSLF]) \|", section, re.M)
    assert told == [
        (field.name, field.type, field.required, field.values, field.privacy)
        for field in STANDARD.records[code].fields
    ]


@pytest.mark.parametrize("code", STANDARD.codelists)
def test_code_list_is_the_published_file_and_the_one_in_the_data(code: str) -> None:
    codelist = STANDARD.codelists[code]
    with (FOLDER / f"codelists/{code}.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.reader(table))[1:]
    assert [list(row.values()) for row in codelist.rows] == rows
    assert list(codelist.items) == [row[0] for row in rows]
    assert all(label.strip() for label in codelist.items.values())
    if code in PUBLISHED["codelists"]:
        raw = PUBLISHED["codelists"][code]
        assert codelist.title == raw["title"]
        assert list(codelist.items.items()) == [(item[0], item[1]) for item in raw["items"]]
    assert f"### {code} — " in TEXT or code in PUBLISHED["registers"]


def test_every_list_in_the_folder_is_carried_and_named() -> None:
    in_folder = {file.stem for file in (FOLDER / "codelists").iterdir()}
    assert in_folder == set(STANDARD.codelists)


def test_every_list_that_a_field_names_exists() -> None:
    used = {name for _, field in ALL_FIELDS for name in field.codelists}
    assert used <= set(STANDARD.codelists)
    assert set(STANDARD.codelists) - used == {"CL_SENTINEL"}


@pytest.mark.parametrize(
    ("code", "field"), ALL_FIELDS, ids=lambda each: getattr(each, "name", each)
)
def test_limits_of_a_field_are_those_of_its_values(code: str, field: Field) -> None:
    named = set(re.findall(r"CL_\w+", field.values))
    assert named == set(field.codelists) | ({field.combines} - {None})
    values = field.values.replace("{1,100}", "1 to 100")
    written = re.findall(r"(?<!-)\b\d{1,3}(?:,\d{3})+|(?<!-)\b\d+", values)
    numbers = [int(each.replace(",", "")) for each in written]
    if field.type in ("int", "decimal", "text", "string") and field.minimum is not None:
        assert field.minimum == numbers[0]
        assert field.maximum in numbers
    if field.type == "code_list":
        assert field.max_codes == (10 if "multi, 10" in field.values else None)


def test_missing_value_codes_stand_in_sensitive_codes_only() -> None:
    for _, field in ALL_FIELDS:
        by_rule = field.type in ("code", "code_list") and field.privacy in ("Q", "S")
        excepted = field.name in ("sex", "suspect_sex", "ethnicity")
        assert field.sentinels == (by_rule and not excepted), field.name


def test_allowed_codes() -> None:
    def allowed(code: str, name: str) -> frozenset[str]:
        return STANDARD.allowed_codes(STANDARD.records[code].field(name))

    assert allowed("CASE", "sex") == {"F", "M", "I", "U"}
    assert allowed("ACTV", "sex") == {"F", "M", "I", "U", "TOTAL"}
    assert allowed("CASE", "uasc") == {"YES", "NO", "UNK", "NCL", "WHD", "REF"}
    assert allowed("CASE", "re_trafficking") - allowed("CASE", "interpreter_needed") == {
        "WHD",
        "REF",
    }
    assert allowed("ACTV", "county_lines") == {"YES", "NO", "UNK", "TOTAL"}
    assert {"UK", "K04000001"}.isdisjoint(allowed("CASE", "referral_nation"))
    assert {"UK", "K04000001", "E12000005", "E10000019", "PFA_NI"} <= allowed("ACTV", "area")
    assert {"E23000001", "NCA"} <= allowed("JUST", "force")
    assert allowed("JUST", "police_outcome") >= {"1", "22"}
    assert len(allowed("NARR", "attachment_media_type")) == 5


def test_exploitation_types_combine_in_order_and_once() -> None:
    allowed = STANDARD.allowed_codes(STANDARD.records["ACTV"].field("exploitation_type"))
    assert {"TOTAL", "UNK", "CRIM", "MARR", "CRIM+LAB", "DOM+LAB+SEX"} <= allowed
    assert allowed.isdisjoint({"LAB+CRIM", "CRIM+CRIM", "CRIM+UNK", "CRIM+TOTAL", "+CRIM", ""})
    assert len(allowed) == 2**9 - 1 + 2


@pytest.mark.parametrize("code", STANDARD.rules)
def test_rule_says_what_must_hold_and_how_to_mend_it(code: str) -> None:
    rule = STANDARD.rules[code]
    row = f"| {code} | {rule.severity} | {rule.level} | {rule.applies} | {rule.test} |"
    assert f"{row} {rule.message} |" in TEXT
    assert re.fullmatch(r"[A-Z][^{}]+\.", rule.mend)
    assert rule.severity in ("error", "warning")
    for sentence in (rule.message, rule.redacted):
        assert sentence[-1] in ".%"


def test_manifest_keys_are_those_of_the_text() -> None:
    section = TEXT.split("## 3. Manifest")[1].split("\n## ")[0]
    told = re.findall(r"^\| `(\w+)` \| ([\w-]+) \| ([RCO]) \| (.*?) ?\|$", section, re.M)
    assert told == [(key.name, key.type, key.required, key.note) for key in STANDARD.manifest_keys]


def test_prohibited_names_are_not_fields() -> None:
    assert len(STANDARD.prohibited) == len(set(STANDARD.prohibited)) == 54
    assert not {field.name for _, field in ALL_FIELDS} & set(STANDARD.prohibited)


def test_agency_is_read_from_the_register() -> None:
    police = STANDARD.agencies["POL-E23000020"]
    assert (police.name, police.agency_type, police.area) == (
        "Lincolnshire Police",
        "POLICE",
        "E23000020",
    )
    assert police.first_responder
    assert not STANDARD.agencies["CPS"].first_responder
    assert STANDARD.agencies["NGO-BLWA"].first_responder


def test_same_version_is_the_same_object() -> None:
    assert load_standard("1.0") is load_standard() is STANDARD
    assert list(load_standards().values()) == [STANDARD]
    assert AVAILABLE == ("1.0",)


@pytest.mark.parametrize("version", ["", "1", "2.0", "1.0 ", "../ctds-1.0", "1.0/../ctds-1.0"])
def test_other_version_is_not_known(version: str) -> None:
    with pytest.raises(UnknownStandard) as refused:
        load_standard(version)
    assert isinstance(refused.value, ValidatorsError)
    assert refused.value.code == "standard-unknown"
