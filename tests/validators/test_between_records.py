"""Every rule between records: an example that it accepts, one that it refuses, and where."""

import io
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from tests.validators import samples
from tests.validators.stories import (
    CASE_ID,
    OTHER_CASE,
    STANDARD,
    actv,
    attached,
    care,
    case,
    conclusive,
    decn,
    expl,
    fresh_id,
    guar,
    just,
    legal,
    miss,
    narr,
    story,
    token,
)
from validators.bulk.judging import BulkRows
from validators.crossrecord import FAMILY_RULES
from validators.fields.ids import is_record_id
from validators.manifest import Manifest
from validators.rows import Rows
from validators.rules import activity, child, decisions, investigation, linked, tokens
from validators.rules.activity import Total, period_before
from validators.rules.decisions import working_days
from validators.rules.linked import LinkedCase, Token
from validators.run import NoHistory, Outcome, validate
from validators.standard import load_standards

Records = Mapping[str, list[dict[str, Any]]]
COUNCIL = "LA-E10000019"


class Example(NamedTuple):
    """What a rule accepts, what it refuses, and which cells it names in that."""

    rule: str
    accepted: Records
    refused: Records
    cells: list[str]
    agency_id: str = samples.AGENCY_ID


def judged(
    records: Records,
    *,
    history: NoHistory | None = None,
    way: type[Rows] = Rows,
    **changed: object,
) -> Outcome:
    built = samples.package(STANDARD, records, **changed)
    return validate(
        io.BytesIO(built.data),
        standards=load_standards(),
        received_on=samples.RECEIVED_ON,
        history=history or NoHistory(),
        make_rows=way,
    )


def cells(outcome: Outcome, rule: str) -> list[str]:
    """Where a rule was broken: "CASE 2 sex"."""
    return [
        f"{(each.file or '-')[:4]} {each.row or '-'} {each.column}"
        for each in outcome.report.findings
        if each.rule == rule
    ]


def two_children(**second: Any) -> Records:
    """Two whole cases; the second one's CASE is changed."""
    other = case(OTHER_CASE, **second)
    return story(
        CASE=[case(), other],
        EXPL=[expl(), expl(case_id=OTHER_CASE)],
        DECN=[decn(), decn(case_id=OTHER_CASE)],
    )


def sharing(count: int) -> Records:
    """So many children under one token."""
    ids = [fresh_id() for _ in range(count)]
    return {
        "CASE": [case(each, lt_tokens_dob=token(7)) for each in ids],
        "EXPL": [expl(case_id=each) for each in ids],
    }


def suspect(**changed: Any) -> dict[str, Any]:
    defaults = {"subject_role": "CHILD_AS_SUSPECT", "case_id": CASE_ID, "s45_defence": "NOT_RAISED"}
    return just(**{"event_date": "2026-03-25", **defaults, **changed})


def plan(factors: str) -> dict[str, Any]:
    codes = next(iter(STANDARD.codelists["CL_PLAN"].items))
    return care(
        spell_type="PLAN",
        plan_type=codes,
        cin_factors=factors,
        placement_type="",
        placed_out_of_area="",
        placed_in_hotel="",
    )


SCOTLAND = {"referral_nation": "S92000003", "referral_la": "S12000005", "referral_pfa": "S23000009"}
ADULT_IN_MARCH = {"birth_year_month": "2008-03", "age_at_referral": "17"}
CONVICTED = {"event_type": "TRIAL_OUTCOME", "court_outcome": "CONV_PLEA"}
SENTENCED = {"event_type": "SENTENCE", "sentence_months": "24"}
GIRLS, BOYS = {"sex": "F"}, {"sex": "M"}
LINES = {"county_lines": "YES"}
CRIM, SEXUAL = {"exploitation_type": "CRIM"}, {"exploitation_type": "SEX"}
EPISODES = {"measure": "MISSING_EPISODES", "unit": "EPISODES"}


def unreferred(**rows: list[dict[str, Any]]) -> Records:
    """A case that is said to be confirmed and was not referred."""
    blank = dict.fromkeys(("nrm_referral_date", "nrm_first_responder", "competent_authority"), "")
    reason = {"nrm_referred": "NO", "nrm_not_referred_reason": "OTHER"}
    confirmed = case(**reason, **blank, data_confidence="CONFIRMED")
    return {"CASE": [confirmed], "EXPL": [expl()], **rows}


EXAMPLES = [
    Example("CT-027", story(), story(EXPL=[]), ["CASE 2 record_id"]),
    Example(
        "CT-028",
        two_children(),
        two_children(person_ref=case()["person_ref"]),
        ["CASE 2 identification_date", "CASE 3 identification_date"],
    ),
    Example(
        "CT-029",
        two_children(),
        two_children(lt_name_dob=case()["lt_name_dob"]),
        ["CASE 2 person_ref", "CASE 3 person_ref"],
    ),
    Example(
        "CT-046",
        story(EXPL=[expl(), expl(is_primary="false", start_date="")]),
        story(EXPL=[expl(), expl(start_date="")]),
        ["EXPL 2 is_primary", "EXPL 3 is_primary"],
    ),
    Example(
        "CT-048",
        story(EXPL=[expl(start_date="2026")], CASE=[case(**ADULT_IN_MARCH)]),
        story(EXPL=[expl(start_date="2026-03")], CASE=[case(**ADULT_IN_MARCH)]),
        ["EXPL 2 start_date"],
    ),
    Example(
        "CT-049",
        story(EXPL=[expl(start_date="2026-02")]),
        story(EXPL=[expl(start_date="2026-02-11")]),
        ["EXPL 2 start_date"],
    ),
    Example(
        "CT-052",
        story(EXPL=[expl(uk_entry_date="2026-02", uk_entry_route="LORRY")]),
        story(EXPL=[expl(uk_entry_date="2026-03", uk_entry_route="BORN_UK")]),
        ["EXPL 2 uk_entry_date", "EXPL 2 uk_entry_route"],
    ),
    Example(
        "CT-053",
        story(EXPL=[expl(), expl(is_primary="false", start_date="2025-12")]),
        story(EXPL=[expl(), expl(is_primary="false")]),
        ["EXPL 2 start_date", "EXPL 3 start_date"],
    ),
    Example(
        "CT-056",
        unreferred(JUST=[just(case_id=CASE_ID, **CONVICTED)]),
        unreferred(),
        ["CASE 2 data_confidence"],
    ),
    Example(
        "CT-057",
        story(DECN=[decn(decision_date="2026-02-10")]),
        story(DECN=[decn(decision_date="2026-02-09")]),
        ["DECN 2 decision_date"],
    ),
    Example(
        "CT-058",
        story(DECN=[decn(), conclusive()]),
        story(DECN=[conclusive()]),
        ["DECN 2 decision_type"],
    ),
    Example(
        "CT-061",
        story(DECN=[decn(), conclusive()]),
        story(DECN=[decn(), decn(decision_date="2026-02-14")]),
        ["DECN 2 decision_type", "DECN 3 decision_type"],
    ),
    Example(
        "CT-063",
        story(DECN=[decn(decision_date="2026-02-17")]),
        story(DECN=[decn(decision_date="2026-02-18")]),
        ["DECN 2 decision_date"],
    ),
    Example(
        "CT-064",
        story(DECN=[decn(), conclusive(decision_date="2026-03-15")]),
        story(DECN=[decn(), conclusive(decision_date="2026-03-14")]),
        ["DECN 3 decision_date"],
    ),
    Example(
        "CT-065",
        story(),
        story(
            CASE=[
                case(
                    nrm_referred="NO",
                    nrm_not_referred_reason=next(iter(STANDARD.codelists["CL_NOT_REFERRED"].items)),
                    nrm_referral_date="",
                    nrm_first_responder="",
                    competent_authority="",
                )
            ]
        ),
        ["DECN 2 decision_type"],
    ),
    Example(
        "CT-066",
        story(DECN=[decn(), conclusive()], CASE=[case(data_confidence="CONFIRMED")]),
        story(CASE=[case(data_confidence="CONFIRMED")]),
        ["CASE 2 data_confidence"],
    ),
    Example(
        "CT-068",
        story(MISS=[miss(), miss(start_date="2026-02-22", end_date="2026-02-24")]),
        story(MISS=[miss(start_date="2026-02-21", end_date="2026-02-24"), miss()]),
        ["MISS 3 start_date", "MISS 2 start_date"],
    ),
    Example(
        "CT-069",
        story(MISS=[miss()], CASE=[case(**ADULT_IN_MARCH)]),
        story(
            MISS=[miss(start_date="2026-03-01", end_date="2026-03-02")],
            CASE=[case(**ADULT_IN_MARCH)],
        ),
        ["MISS 2 start_date"],
    ),
    Example(
        "CT-075",
        story(GUAR=[guar()]),
        story(GUAR=[guar(guardian_service="GS_SCOT")]),
        ["GUAR 2 guardian_service"],
    ),
    Example("CT-076", story(GUAR=[guar()]), story(), ["CASE 2 record_id"], COUNCIL),
    Example(
        "CT-077",
        story(CARE=[care(end_date="2026-03-01"), care(start_date="2026-03-01"), legal("C1")]),
        story(CARE=[care(), care(start_date="2026-03-01")]),
        ["CARE 2 start_date", "CARE 3 start_date"],
    ),
    Example(
        "CT-079", story(CARE=[legal("C2")]), story(CARE=[legal("CSO")]), ["CARE 2 care_status"]
    ),
    Example(
        "CT-080",
        story(CARE=[care(placement_type="INDEP")], CASE=[case(**ADULT_IN_MARCH)]),
        story(CARE=[care(placement_type="INDEP")]),
        ["CARE 2 placement_type"],
    ),
    Example("CT-081", story(CARE=[plan("12A")]), story(CARE=[plan("10A")]), ["CARE 2 cin_factors"]),
    Example(
        "CT-083",
        story(JUST=[just(), just(event_type="ARREST", event_date="2026-03-01")]),
        story(JUST=[just(), just(event_type="ARREST", event_date="2026-03-03")]),
        ["JUST 2 event_date"],
    ),
    Example(
        "CT-084",
        story(
            JUST=[
                just(),
                just(event_date="2026-03-05", **CONVICTED),
                just(event_date="2026-03-06", **SENTENCED),
            ]
        ),
        story(JUST=[just(), just(event_date="2026-03-06", **SENTENCED)]),
        ["JUST 3 event_type"],
    ),
    Example(
        "CT-087",
        story(DECN=[decn(), conclusive()], JUST=[suspect(s45_defence="RAISED_POLICE")]),
        story(DECN=[decn(), conclusive()], JUST=[suspect()]),
        ["JUST 2 s45_defence"],
    ),
    Example(
        "CT-088",
        {"ACTV": [actv(**GIRLS), actv(**BOYS)]},
        {"ACTV": [actv(**GIRLS), actv(**GIRLS, count="2")]},
        ["ACTV 2 count", "ACTV 3 count"],
    ),
    Example(
        "CT-089",
        {"ACTV": [actv(count="3"), actv(**GIRLS, count="1"), actv(**BOYS, count="2")]},
        {"ACTV": [actv(count="4"), actv(**GIRLS, count="1"), actv(**BOYS, count="2")]},
        ["ACTV 2 count", "ACTV 3 count", "ACTV 4 count"],
    ),
    Example(
        "CT-090",
        {"ACTV": [actv(measure="MISSING_CHILDREN"), actv(**EPISODES)]},
        {"ACTV": [actv(measure="MISSING_CHILDREN", count="2"), actv(**EPISODES)]},
        ["ACTV 2 count", "ACTV 3 count"],
    ),
    Example("CT-093", story(ACTV=[actv()]), story(ACTV=[actv(count="2")]), ["ACTV 2 count"]),
    Example(
        "CT-095",
        {"ACTV": [actv(**CRIM, count="2"), actv(**CRIM, **LINES)]},
        {"ACTV": [actv(**CRIM), actv(**CRIM, **LINES, count="2"), actv(**SEXUAL, **LINES)]},
        ["ACTV 3 count", "ACTV 4 county_lines"],
    ),
    Example(
        "CT-097",
        {
            "ACTV": [
                actv(measure=row["code"], count_status="NOT_AVAILABLE", count="")
                for row in STANDARD.codelists["CL_MEASURE"].rows
            ]
        },
        {"ACTV": [actv()]},
        ["ACTV - measure"],
    ),
    Example("CT-103", sharing(5), sharing(6), [f"CASE {row} lt_tokens_dob" for row in range(2, 8)]),
]  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.rule)
def test_each_rule_accepts_and_refuses(example: Example) -> None:
    assert cells(judged(example.accepted, agency_id=example.agency_id), example.rule) == []
    outcome = judged(example.refused, agency_id=example.agency_id)
    assert cells(outcome, example.rule) == example.cells
    severity = STANDARD.rules[example.rule].severity
    for kind, rows in outcome.accepted.items():
        named = {cell.split()[1] for cell in example.cells if cell.startswith(kind)}
        returned = len(example.refused[kind]) - len(rows)
        assert returned == (len(named) if severity == "error" else 0), kind


def test_a_whole_story_breaks_nothing() -> None:
    outcome = judged(
        story(
            DECN=[decn(), conclusive()],
            CASE=[case(data_confidence="CONFIRMED")],
            MISS=[miss()],
            GUAR=[guar()],
            CARE=[care(), legal("C2"), plan("12A;9A")],
            JUST=[just()],
            ACTV=[],
            NARR=[narr(case_id=CASE_ID)],
        )
    )
    assert dict(outcome.report.totals) == {"CT-081": 1}
    assert outcome.report.verdict == "accepted"


def test_every_rule_between_records_has_an_example() -> None:
    groups = (activity.RULES, child.RULES, decisions.RULES, investigation.RULES, tokens.RULES)
    rules = {rule.code for group in (*groups, FAMILY_RULES) for rule in group}  # type: ignore[attr-defined]
    elsewhere = {"CT-062", "CT-094"}
    assert rules == {example.rule for example in EXAMPLES} | elsewhere


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"decision_type": "RG"}, ["DECN 3 reconsiders_id"]),
        ({"decision_date": "2026-02-12"}, ["DECN 3 reconsiders_id"]),
        ({"reconsiders_id": OTHER_CASE}, ["DECN 3 reconsiders_id"]),
    ],
    ids=["fits", "another type", "earlier", "unknown"],
)
def test_a_reconsideration_is_of_an_earlier_decision(
    changed: dict[str, str], expected: list[str]
) -> None:
    first = conclusive(decision_body="DEVOLVED", decision_date="2026-02-13")
    again = {"is_reconsideration": "true", "reconsiders_id": first["record_id"]}
    second = conclusive(**{**again, "decision_body": "DEVOLVED", **changed})
    assert cells(judged(story(DECN=[first, second])), "CT-062") == expected


def test_nothing_is_said_to_be_absent_where_a_row_could_not_be_read() -> None:
    outcome = judged(story(EXPL=[expl(start_date="soon")], DECN=[conclusive()]))
    assert set(outcome.report.totals) == {"CT-015"}


BOTH_WAYS = pytest.mark.parametrize("way", [Rows, BulkRows])


@BOTH_WAYS
def test_ct_056_a_defence_that_a_court_accepted_is_a_finding(way: type[Rows]) -> None:
    accepted = suspect(s45_defence="RAISED_COURT_OK")
    assert cells(judged(unreferred(JUST=[accepted]), way=way), "CT-056") == []


@BOTH_WAYS
def test_ct_081_factor_9a_is_for_who_is_said_to_be_unaccompanied(way: type[Rows]) -> None:
    def told(answer: str, factors: str) -> list[str]:
        outcome = judged(story(CASE=[case(uasc=answer)], CARE=[plan(factors)]), way=way)
        found = [each for each in outcome.report.findings if each.rule == "CT-081"]
        return [each.message() for each in found]

    strange = (
        "cin_factors: factor 9A is for unaccompanied children, and uasc of the case is not YES."
    )
    assert [told(answer, "9A;12A") for answer in ("NO", "UNK")] == [[strange], [strange]]
    silent = "The assessment factors do not mention trafficking or exploitation."
    assert told("NO", "9A") == [silent, strange]
    assert told("UNK", "12A") == []


@BOTH_WAYS
def test_ct_083_no_stage_comes_before_any_earlier_one(way: type[Rows]) -> None:
    """A charge after an arrest that was before the crime is before the crime all the same."""
    crime = just(event_type="CRIME_RECORDED", event_date="2026-03-05")
    arrest = just(event_type="ARREST", event_date="2026-03-03")
    outcome = judged({"JUST": [crime, arrest, just(event_date="2026-03-04")]}, way=way)
    assert cells(outcome, "CT-083") == ["JUST 3 event_date", "JUST 4 event_date"]


@BOTH_WAYS
@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"suspect_sex": "Q"}, []),
        ({"suspect_sex": "Q", "investigation_ref": ""}, []),
        ({"suspect_sex": "Q", "investigation_ref": "INV-00000002"}, ["JUST 4 event_type"]),
    ],
    ids=["read", "unread", "of any", "of another"],
)
def test_ct_084_a_conviction_may_stand_in_a_row_that_could_not_be_read(
    changed: dict[str, str], expected: list[str], way: type[Rows]
) -> None:
    convicted = just(event_date="2026-03-05", **CONVICTED, **changed)
    rows = [just(), convicted, just(event_date="2026-03-06", **SENTENCED)]
    assert cells(judged({"JUST": rows}, way=way), "CT-084") == expected


def part(**changed: str) -> dict[str, Any]:
    """A part of a count; the total of all of them is 3."""
    return actv(**{"count": "1", **changed})


@BOTH_WAYS
def test_ct_089_a_part_that_could_not_be_read_may_make_up_the_total(way: type[Rows]) -> None:
    total, unread = actv(count="3"), part(sex="U", unit="KIDS")
    rows = [total, part(**GIRLS), part(**BOYS)]
    assert len(cells(judged({"ACTV": rows}, way=way), "CT-089")) == 3
    with_unread = judged({"ACTV": [*rows, unread]}, way=way)
    assert dict(with_unread.report.totals) == {"CT-016": 1}
    assert len(with_unread.accepted["ACTV"]) == 3
    more = judged({"ACTV": [total, part(**GIRLS, count="4"), unread]}, way=way)
    assert len(cells(more, "CT-089")) == 2


@BOTH_WAYS
def test_ct_095_a_combination_may_stand_in_a_row_that_could_not_be_read(way: type[Rows]) -> None:
    rows = [part(**CRIM), part(**LINES, count="4")]
    assert cells(judged({"ACTV": rows}, way=way), "CT-095") == ["ACTV 3 count"]
    unread = part(exploitation_type="CRIM+SEX", count="5", unit="KIDS")
    assert cells(judged({"ACTV": [*rows, unread]}, way=way), "CT-095") == []


def test_ct_095_what_is_not_criminal_is_told_without_a_count() -> None:
    uncounted = actv(**SEXUAL, **LINES, count="", count_status="SUPPRESSED")
    [told] = [each for each in judged({"ACTV": [uncounted]}).report.findings if each.row]
    assert "None" not in told.message()


@BOTH_WAYS
@pytest.mark.parametrize(
    ("agency_id", "area", "expected"),
    [
        ("NCA", "UK", ["ACTV 2 count"]),
        ("NCA", "W92000004", []),
        ("CPS", "K04000001", ["ACTV 2 count"]),
        ("CPS", "E92000001", []),
        ("POL-S23000009", "S23000009", ["ACTV 2 count"]),
        ("POL-S23000009", "S92000003", ["ACTV 2 count"]),
    ],
)
def test_ct_093_cases_are_held_against_the_count_of_the_whole_area(
    agency_id: str, area: str, expected: list[str], way: type[Rows]
) -> None:
    outcome = judged(story(ACTV=[actv(area=area, count="0")]), way=way, agency_id=agency_id)
    assert cells(outcome, "CT-093") == expected


YEAR = {"period_type": "YEAR", "period_start": "2025-04-01", "period_end": "2026-03-31"}


def test_ct_097_a_year_is_asked_for_what_it_may_hold() -> None:
    trained = actv(measure="STAFF_TRAINED", unit="STAFF", period_start="2025-04-01")
    [told] = judged({"ACTV": [trained]}, **YEAR).report.findings
    assert told.rule == "CT-097"
    assert told.message().endswith("POLICE counts: STAFF_IN_SCOPE, SPEND_GBP.")


def again(**changed: str) -> dict[str, Any]:
    """A decision that reconsiders another one."""
    return decn(is_reconsideration="true", reconsiders_id=OTHER_CASE, **changed)


def born(month: str, **rows: list[dict[str, Any]]) -> Records:
    return story(CASE=[case(birth_year_month=month)], **rows)


def decided(confidence: str, *rows: dict[str, Any]) -> Records:
    return story(CASE=[case(data_confidence=confidence)], DECN=list(rows))


def in_scotland(**rows: list[dict[str, Any]]) -> Records:
    return story(CASE=[case(**SCOTLAND)], **rows)


def grounds(kind: str, total: str) -> Records:
    """A count of three decisions of each outcome, and of all."""
    parts = {"_POSITIVE": "3", "_NEGATIVE": "3", "_TOTAL": total}
    return {
        "ACTV": [actv(measure=kind + end, unit="DECISIONS", count=n) for end, n in parts.items()]
    }


def trained(count: str) -> Records:
    staff = [("STAFF_TRAINED", count), ("STAFF_IN_SCOPE", "3")]
    return {"ACTV": [actv(measure=name, unit="STAFF", count=number) for name, number in staff]}


def referred_on(day: str) -> Records:
    child = case(identification_date="2026-01-01", la_notified_date="", nrm_referral_date=day)
    return story(CASE=[child], DECN=[], ACTV=[actv(count="1")])


NEGATIVE = {"decision_outcome": "NEGATIVE", "negative_reason": "OTHER"}
LOCAL = {"decision_body": "DEVOLVED"}
PLANS, ORDERS = [plan("12A"), plan("12A")], [legal("C2"), legal("C1")]
ENGLISH = ("C1", "C2", "E1", "L1", "L2", "L3", "J2", "J3")
ALONE = [care(placement_type="INDEP")]
SENTENCED_FIRST = [
    just(),
    just(event_date="2026-03-05", **CONVICTED),
    just(event_date="2026-03-04", **SENTENCED),
]

BOUNDS: list[tuple[str, Records, int]] = [
    ("CT-049", story(EXPL=[expl(start_date="2026-02-10")]), 0),
    ("CT-052", story(EXPL=[expl(uk_entry_date="2026-02")],
                     CASE=[case(identification_date="2026-02-01", la_notified_date="")]), 0),
    ("CT-058", story(DECN=[decn(), conclusive(decision_date="2026-02-13")]), 0),
    ("CT-058", story(DECN=[decn(), conclusive(decision_date="2026-02-12")]), 1),
    ("CT-058", story(DECN=[decn(**NEGATIVE), conclusive()]), 1),
    ("CT-058", story(DECN=[conclusive(**LOCAL)]), 0),
    ("CT-063", story(DECN=[decn(), again(decision_date="2026-03-18")]), 0),
    ("CT-064", story(DECN=[decn(), conclusive(decision_date="2026-03-14", **LOCAL)]), 0),
    ("CT-064", story(DECN=[decn(), again(decision_date="2026-03-10"), conclusive()]), 0),
    ("CT-065", unreferred(DECN=[conclusive()]), 1),
    ("CT-065", unreferred(DECN=[decn(decision_type="AGE", decision_outcome="ASSESSED_CHILD")]), 0),
    ("CT-066", decided("NOT_VICTIM", decn()), 1),
    ("CT-066", decided("NOT_VICTIM", decn(**NEGATIVE)), 0),
    ("CT-066", decided("CONFIRMED", conclusive(decision_date="2026-02-13"), decn()), 0),
    ("CT-069", born("2010-06", MISS=[miss(start_date="2010-06-30")]), 1),
    ("CT-069", born("2010-06", MISS=[miss(start_date="2010-07-01")]), 0),
    ("CT-075", story(GUAR=[guar(guardian_service="IGS_NI")]), 1),
    ("CT-075", story(GUAR=[guar(guardian_service="NONE")]), 0),
    ("CT-075", in_scotland(GUAR=[guar(guardian_service="GS_SCOT")]), 0),
    ("CT-077", story(CARE=PLANS), 0),
    ("CT-077", story(CARE=ORDERS), 2),
    *(("CT-079", in_scotland(CARE=[legal(code)]), 1) for code in ENGLISH),
    *(("CT-079", in_scotland(CARE=[legal(code)]), 0) for code in ("CSO", "V2", "J1", "NOT_LAC")),
    ("CT-080", born("2010-02", CARE=ALONE), 0),
    ("CT-080", born("2010-03", CARE=ALONE), 1),
    *(("CT-081", story(CARE=[plan(code)]), 0) for code in ("11A", "24A")),
    ("CT-083", {"JUST": SENTENCED_FIRST}, 1),
    ("CT-087", story(DECN=[decn(), conclusive()], JUST=[suspect(event_date="2026-03-20")]), 0),
    ("CT-087", story(DECN=[decn(), conclusive()], JUST=[suspect(s45_defence="UNK")]), 1),
    *(("CT-090", grounds(kind, "6"), 0) for kind in ("RG", "CG")),
    *(("CT-090", grounds(kind, "5"), 3) for kind in ("RG", "CG")),
    ("CT-090", trained("3"), 0),
    ("CT-090", trained("4"), 2),
    ("CT-093", referred_on("2026-01-01"), 0),
    ("CT-093", referred_on("2026-03-31"), 0),
    ("CT-093", referred_on("2026-04-01"), 1),
    ("CT-095", {"ACTV": [part(**CRIM), part(**CRIM, **LINES, count="2", count_status="ESTIMATE")]},
     0),
]  # fmt: skip


@BOTH_WAYS
@pytest.mark.parametrize(("rule", "records", "told"), BOUNDS)
def test_at_its_bounds_a_rule_says_what_its_text_says(
    rule: str, records: Records, told: int, way: type[Rows]
) -> None:
    assert len(cells(judged(records, way=way), rule)) == told


@BOTH_WAYS
@pytest.mark.parametrize(
    ("column", "told"), [("lt_nrm", 2), ("lt_upn", 2), ("lt_tokens_dob", 0), ("lt_ho_ref", 0)]
)
def test_ct_029_is_about_tokens_of_one_child(column: str, told: int, way: type[Rows]) -> None:
    shared = {column: token(7)}
    records = story(
        CASE=[case(**shared), case(OTHER_CASE, **shared)], EXPL=[expl(), expl(case_id=OTHER_CASE)]
    )
    assert len(cells(judged(records, way=way), "CT-029")) == told


def test_an_amended_case_may_have_been_told_before() -> None:
    outcome = judged({"CASE": [case(record_action="AMEND")], "DECN": [conclusive()]})
    assert dict(outcome.report.totals) == {}


def test_a_withdrawn_row_belongs_to_nothing() -> None:
    outcome = judged(story(EXPL=[expl(), expl(record_action="DELETE")]))
    assert dict(outcome.report.totals) == {}


def test_an_open_episode_is_the_latest() -> None:
    still = miss(
        end_date="", outcome="STILL_MISSING", return_interview="", found_in_exploitation=""
    )
    later = miss(start_date="2026-03-01", end_date="2026-03-02")
    assert cells(judged(story(MISS=[still, later])), "CT-068") == [
        "MISS 2 start_date",
        "MISS 3 start_date",
    ]


BEFORE = Total(
    measure="NRM_REFERRALS",
    area=actv()["area"],
    period_start=date(2025, 10, 1),
    period_end=date(2025, 12, 31),
)


class Known(NoHistory):
    """A gateway that holds some records, a total, and a case of another agency."""

    def __init__(self, *held: str, total: int | None = None, linked: Sequence[LinkedCase] = ()):
        self._held, self._total, self._linked = held, total, linked
        self.asked: list[Sequence[Token]] = []

    def held(
        self, record_type: str | None, record_ids: Collection[str], *, replacing: UUID | None
    ) -> Collection[str]:
        del record_type, replacing
        assert all(map(is_record_id, record_ids))
        return self._held

    def totals(self, asked: Collection[Total]) -> dict[Total, int]:
        assert list(asked) == [BEFORE]
        return {} if self._total is None else {BEFORE: self._total}

    def tells_links(self, manifest: Manifest) -> bool:
        return manifest.submission_type != "TEST"

    def linked_cases(self, cases: Sequence[Sequence[Token]]) -> list[Sequence[LinkedCase]]:
        self.asked += cases
        return [self._linked if each else () for each in cases]


@pytest.mark.parametrize(
    ("action", "held", "expected"),
    [
        ("NEW", False, []),
        ("NEW", True, ["CASE 2 record_action"]),
        ("AMEND", True, []),
        ("AMEND", False, ["CASE 2 record_action"]),
        ("DELETE", True, []),
        ("DELETE", False, ["CASE 2 record_action"]),
    ],
)
def test_ct_025_only_what_is_held_is_amended(action: str, held: bool, expected: list[str]) -> None:
    history = Known(CASE_ID) if held else Known()
    outcome = judged(story(CASE=[case(record_action=action)]), history=history)
    assert cells(outcome, "CT-025") == expected


def test_ct_026_a_case_is_here_or_held() -> None:
    records = story(MISS=[miss(case_id=OTHER_CASE)])
    assert cells(judged(records, history=Known(OTHER_CASE)), "CT-026") == []
    assert cells(judged(records, history=Known()), "CT-026") == ["MISS 2 case_id"]
    assert cells(judged(records), "CT-026") == []


REFUSED = {
    "of its own fields": {"sex": "Q"},
    "of a rule about it": {"age_at_exploitation_start": "17"},
    "of what is done with it": {"sex": "Q", "record_action": "SENT"},
}
GONE = ["EXPL 2 case_id", "MISS 2 case_id"]


@pytest.mark.parametrize("way", [Rows, BulkRows])
@pytest.mark.parametrize("why", REFUSED)
def test_ct_026_no_record_stays_without_its_case(why: str, way: type[Rows]) -> None:
    bad, good = case(**REFUSED[why]), case(OTHER_CASE, person_ref="P-bbbbbbbbbbbbbbbb")
    rest = {"EXPL": [expl(), expl(case_id=OTHER_CASE)], "MISS": [miss()]}
    outcome = judged({"CASE": [bad, good], **rest}, way=way)
    assert cells(outcome, "CT-026") == GONE
    kept = {kind: [row["record_id"] for row in rows] for kind, rows in outcome.accepted.items()}
    assert kept == {"CASE": [OTHER_CASE], "EXPL": [rest["EXPL"][1]["record_id"]]}
    assert {kind: list(ids) for kind, ids in outcome.new_records.items() if ids} == kept
    [told, _] = [each for each in outcome.report.findings if each.rule == "CT-026"]
    assert told.message() == (
        "case_id: its case goes back, so this record goes back with it, though nothing is wrong in "
        "its own row."
    )


@pytest.mark.parametrize("way", [Rows, BulkRows])
def test_ct_026_rows_go_back_with_a_case_that_a_later_rule_returns(way: type[Rows]) -> None:
    twice = [case(), case()]
    records = {"CASE": [*twice, case(OTHER_CASE)], "EXPL": [expl(), expl(case_id=OTHER_CASE)]}
    outcome = judged(records, way=way)
    assert outcome.report.totals["CT-024"] == 2
    assert cells(outcome, "CT-026") == GONE[:1]


@pytest.mark.parametrize("way", [Rows, BulkRows])
def test_ct_026_a_case_that_is_held_stays_as_it_was(way: type[Rows]) -> None:
    refused = case(sex="Q", record_action="AMEND")
    for bad, history in ((refused, None), (refused, Known(CASE_ID)), (case(), Known(CASE_ID))):
        records = story(CASE=[bad], EXPL=[expl()], MISS=[miss()])
        assert cells(judged(records, history=history, way=way), "CT-026") == []


@pytest.mark.parametrize("way", [Rows, BulkRows])
def test_ct_026_no_record_stays_with_a_case_that_is_amended_and_never_came(
    way: type[Rows],
) -> None:
    for changed in ({}, {"sex": "Q"}):
        never = case(record_action="AMEND", **changed)
        good = case(OTHER_CASE, person_ref="P-bbbbbbbbbbbbbbbb")
        rows = {"EXPL": [expl(), expl(case_id=OTHER_CASE)], "MISS": [miss()]}
        outcome = judged({"CASE": [never, good], **rows}, history=Known(), way=way)
        assert cells(outcome, "CT-026") == GONE
        assert {kind: len(rows) for kind, rows in outcome.accepted.items()} == {
            "CASE": 1,
            "EXPL": 1,
        }


@pytest.mark.parametrize("way", [Rows, BulkRows])
def test_nobody_is_asked_about_an_id_that_no_record_can_have(way: type[Rows]) -> None:
    records = story(CASE=[case(), case(OTHER_CASE) | {"record_id": "banana"}])
    outcome = judged(records, history=Known(), way=way)
    assert cells(outcome, "CT-015") == ["CASE 3 record_id"]
    assert len(outcome.accepted["CASE"]) == 1


@pytest.mark.parametrize(
    ("before", "now", "moved"),
    [
        (None, "900", False),
        (20, "30", False),
        (20, "31", True),
        (0, "9", False),
        (0, "10", True),
        (40, "20", False),
        (40, "19", True),
    ],
)
def test_ct_094_a_total_does_not_jump(before: int | None, now: str, moved: bool) -> None:
    outcome = judged({"ACTV": [actv(count=now)]}, history=Known(total=before))
    assert cells(outcome, "CT-094") == (["ACTV 2 count"] if moved else [])


DAYS_8_BEFORE, DAY_8 = date(2026, 2, 2), date(2026, 2, 18)
NRM, SORTED = frozenset({"lt_nrm"}), frozenset({"lt_tokens_dob"})
LINKED = LinkedCase("F", "2010-06", date(2026, 2, 12), NRM, is_missing=False)


@pytest.mark.parametrize(
    ("rule", "other", "expected"),
    [
        ("CT-104", LINKED, []),
        ("CT-104", replace(LINKED, sex="M"), ["CASE 2 sex"]),
        ("CT-104", replace(LINKED, sex="U"), []),
        ("CT-104", replace(LINKED, birth_year_month="2010-07"), ["CASE 2 birth_year_month"]),
        ("CT-105", replace(LINKED, nrm_referral_date=date(2026, 2, 3)), []),
        ("CT-105", replace(LINKED, nrm_referral_date=date(2026, 2, 17)), []),
        ("CT-105", replace(LINKED, nrm_referral_date=DAYS_8_BEFORE), ["CASE 2 nrm_referral_date"]),
        ("CT-105", replace(LINKED, nrm_referral_date=DAY_8), ["CASE 2 nrm_referral_date"]),
        ("CT-105", replace(LINKED, nrm_referral_date=DAY_8, through=SORTED), []),
        ("CT-106", LINKED, []),
        ("CT-106", replace(LINKED, is_missing=True), ["CASE 2 person_ref"]),
        ("CT-106", replace(LINKED, is_missing=True, through=SORTED), ["CASE 2 person_ref"]),
        ("CT-106", replace(LINKED, is_missing=True, through=SORTED, sex="M"), []),
        ("CT-104", replace(LINKED, through=SORTED, sex="M"), []),
    ],
)  # fmt: skip
def test_what_other_agencies_know_is_told_and_returns_nothing(
    rule: str, other: LinkedCase, expected: list[str]
) -> None:
    history = Known(linked=[other])
    outcome = judged(story(CASE=[case(sex="F")]), history=history)
    assert cells(outcome, rule) == expected
    assert len(outcome.accepted["CASE"]) == 1
    assert ("lt_name_dob", case()["lt_name_dob"]) in history.asked[0]
    assert set(linked.RULES) == {"CT-104", "CT-105", "CT-106"}


def test_ct_104_what_is_not_known_here_differs_from_nothing() -> None:
    outcome = judged(story(CASE=[case(sex="U")]), history=Known(linked=[LINKED]))
    assert cells(outcome, "CT-104") == []


def test_of_what_goes_back_nobody_learns_whom_others_know() -> None:
    """The attack: a row that will be returned, or a package that will be rejected, asks for free.

    The second is refused for its count of rows, after every row has been read.
    """
    others = [replace(LINKED, sex="M", is_missing=True)]
    good, returned = case(), case(record_id=OTHER_CASE, sex="Z")
    told = judged(story(CASE=[good, returned]), history=Known(linked=others))
    assert [each.row for each in told.report.findings if each.rule == "CT-106"] == [2]
    miscounted = {"record_counts": {"CASE": 9}}
    rejected = judged(story(CASE=[good]), history=Known(linked=others), **miscounted)
    assert rejected.report.verdict == "rejected"
    assert not {"CT-104", "CT-105", "CT-106"} & set(rejected.report.totals)


def test_of_a_test_nobody_learns_whom_others_know() -> None:
    history = Known(linked=[replace(LINKED, is_missing=True)])
    outcome = judged(story(CASE=[case()]), history=history, submission_type="TEST")
    assert history.asked == []
    assert "CT-106" not in outcome.report.totals


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        (date(2026, 1, 1), date(2026, 3, 31), (date(2025, 10, 1), date(2025, 12, 31))),
        (date(2026, 3, 1), date(2026, 3, 31), (date(2026, 2, 1), date(2026, 2, 28))),
        (date(2024, 1, 1), date(2024, 12, 31), (date(2023, 1, 1), date(2023, 12, 31))),
        (date(2026, 1, 2), date(2026, 3, 31), None),
        (date(2026, 1, 1), date(2026, 3, 30), None),
        (date(2026, 3, 1), date(2026, 1, 31), None),
        (date(1, 1, 1), date(1, 3, 31), None),
    ],
)
def test_the_period_before_is_as_many_months(
    start: date, end: date, before: tuple[date, date] | None
) -> None:
    assert period_before(start, end) == before


def office(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n"
ODT = {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}
MANIFEST = {"META-INF/manifest.xml": b"<manifest/>"}
LOCKED = {"META-INF/manifest.xml": b"<manifest><encryption-data/></manifest>"}
WORD = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<document/>"}
OPEN_DOCUMENT = "application/vnd.oasis.opendocument.text"
WORD_DOCUMENT = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("name", "media_type", "data", "taken"),
    [
        ("a.pdf", "application/pdf", PDF, True),
        ("a.pdf", "application/pdf", PDF + b"/Encrypt 5 0 R", False),
        ("a.pdf", "application/pdf", b"MZ" + PDF, False),
        ("a.pdf", "text/plain", b"\x00\x01", False),
        ("a.txt", "text/plain", "Grüße".encode(), True),
        ("a.txt", "text/plain", "Grüße".encode("latin-1"), False),
        ("a.md", "text/markdown", b"# Notes", True),
        ("a.odt", OPEN_DOCUMENT, office({**ODT, **MANIFEST}), True),
        ("a.odt", OPEN_DOCUMENT, office({**ODT, **LOCKED}), False),
        ("a.odt", OPEN_DOCUMENT, office({**ODT, **MANIFEST, "Basic/script.xml": b""}), False),
        ("a.odt", OPEN_DOCUMENT, office(ODT), False),
        ("a.docx", WORD_DOCUMENT, office(WORD), True),
        ("a.docx", WORD_DOCUMENT, office({**WORD, "word/vbaProject.bin": b"x"}), False),
        ("a.docx", WORD_DOCUMENT, office({**ODT, **MANIFEST}), False),
        ("a.docx", WORD_DOCUMENT, office(WORD)[:-30], False),
        ("a.pdf", "application/pdf", PDF + samples.rng().randbytes(20_000_000), False),
    ],
)
def test_ct_100_an_attachment_is_what_it_is_said_to_be(
    tmp_path: Path, name: str, media_type: str, data: bytes, taken: bool
) -> None:
    described = attached(name, data, media_type)
    outcome = judged_with({name: data}, [narr(**described), narr()], tmp_path)
    assert cells(outcome, "CT-100") == ([] if taken else ["NARR 2 attachment_name"])
    assert outcome.attachments == ((f"attachments/{name}",) if taken else ())


def told(outcome: Outcome) -> list[tuple[str | None, int | None, str]]:
    """Each finding of CT-100: its file, its row, and why."""
    found = [each for each in outcome.report.findings if each.rule == "CT-100"]
    return [(each.file, each.row, each.values["detail"]) for each in found]


@pytest.mark.parametrize("make_rows", [Rows, BulkRows])
def test_ct_100_a_checksum_of_another_file_sends_the_attachment_back(
    tmp_path: Path, make_rows: type[Rows]
) -> None:
    changed = attached("a.pdf", PDF, "application/pdf") | {"attachment_sha256": token(3)}
    outcome = judged_with({"a.pdf": PDF}, [narr(**changed), narr()], tmp_path, make_rows=make_rows)
    assert told(outcome) == [("NARR.csv", 2, "the checksum in this row is that of another file")]
    assert outcome.attachments == ()


@pytest.mark.parametrize("make_rows", [Rows, BulkRows])
def test_ct_100_an_attachment_that_nothing_names_is_told_of_and_not_kept(
    tmp_path: Path, make_rows: type[Rows]
) -> None:
    """Nobody said what it is, so nothing of it could be checked."""
    nobody = judged_with({"a.txt": b"A note."}, [narr()], tmp_path, make_rows=make_rows)
    named_by_none = "no NARR row that could be read names this file, so it is not kept"
    assert told(nobody) == [("attachments/a.txt", None, named_by_none)]
    assert nobody.report.verdict == "accepted-in-part"
    assert nobody.attachments == ()
    assert nobody.report.redacted().findings[0].file == "attachments/…"


@pytest.mark.parametrize("make_rows", [Rows, BulkRows])
def test_ct_100_an_attachment_goes_back_with_the_row_that_names_it(
    tmp_path: Path, make_rows: type[Rows]
) -> None:
    """Of two rows that name one file, one that stands is enough to keep it."""
    note, shared = b"A note.", b"A note of two."
    rows = [
        narr(**attached("a.txt", note), redaction_confirmed="false"),
        narr(**attached("b.txt", shared), redaction_confirmed="false"),
        narr(**attached("b.txt", shared)),
    ]
    outcome = judged_with({"a.txt": note, "b.txt": shared}, rows, tmp_path, make_rows=make_rows)
    assert told(outcome) == []
    assert outcome.attachments == ("attachments/b.txt",)


def test_ct_100_a_row_whose_fields_are_wrong_names_its_attachment_all_the_same(
    tmp_path: Path,
) -> None:
    rows = [narr(**attached("a.txt", b"A note."), theme="NO_SUCH_THEME"), narr()]
    outcome = judged_with({"a.txt": b"A note."}, rows, tmp_path)
    assert told(outcome) == []
    assert outcome.attachments == ()


def judged_with(
    attachments: Mapping[str, bytes],
    rows: list[dict[str, Any]],
    folder: Path,
    *,
    make_rows: type[Rows] = Rows,
) -> Outcome:
    with zipfile.ZipFile(io.BytesIO(samples.package(STANDARD, {"NARR": rows}).data)) as archive:
        archive.extract("NARR.csv", folder)
    (folder / "attachments").mkdir(parents=True)
    for name, data in attachments.items():
        (folder / "attachments" / name).write_bytes(data)
    built = samples.package_of(folder, samples.manifest_fields(STANDARD))
    return validate(
        io.BytesIO(built.data),
        standards=load_standards(),
        received_on=samples.RECEIVED_ON,
        history=NoHistory(),
        make_rows=make_rows,
    )


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (date(2026, 2, 10), date(2026, 2, 10), 0),
        (date(2026, 2, 10), date(2026, 2, 17), 5),
        (date(2026, 2, 13), date(2026, 2, 16), 1),
        (date(2026, 2, 14), date(2026, 2, 15), 0),
        (date(2026, 2, 10), date(2026, 2, 9), 0),
        (date(2026, 1, 1), date(2026, 12, 31), 260),
    ],
)
def test_working_days_are_monday_to_friday(start: date, end: date, days: int) -> None:
    assert working_days(start, end) == days
