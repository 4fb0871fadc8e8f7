"""Every record rule: what it lets pass, and what it names."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.validators import samples
from validators.manifest import load_manifest
from validators.rules import RECORD_RULES, RecordContext, rules_for
from validators.rules.dates import comes_after, completed_years, first_day, last_day
from validators.standard import load_standard

STANDARD = load_standard()
TODAY = samples.RECEIVED_ON
DAY = date(2026, 2, 10)


def context(**changed: object) -> RecordContext:
    raw = samples.package(STANDARD, {}, **changed).manifest
    manifest = load_manifest(raw, standard=STANDARD)
    return RecordContext(STANDARD, manifest, STANDARD.agencies[manifest.agency_id], TODAY)


CONTEXT = context()

CASE: dict[str, Any] = {
    "record_id": "a",
    "link_scheme": "CTL1-2026",
    "lt_name_dob": "b" * 64,
    "birth_year_month": "2010-06",
    "birth_date_status": "STATED",
    "age_at_referral": 15,
    "age_dispute_status": "NONE",
    "nationality_1": "GBR",
    "uasc": "NO",
    "identification_date": DAY,
    "nrm_referred": "YES",
    "nrm_referral_date": DAY,
    "nrm_first_responder": samples.AGENCY_ID,
    "competent_authority": "SCA",
    "referral_nation": "E92000001",
    "referral_la": "E10000019",
    "referral_pfa": "E23000020",
    "data_confidence": "REASONABLE",
}
EXPL: dict[str, Any] = {
    "exploitation_type": "CRIM",
    "exploitation_subtype": "CRIM.DRUG_SUPPLY",
    "county_lines": "YES",
    "location_category": "UK",
    "uk_la": ("E10000019",),
    "movement_type": "INTERNAL",
}
DECN: dict[str, Any] = {
    "record_id": "a",
    "decision_type": "RG",
    "decision_outcome": "POSITIVE",
    "is_reconsideration": False,
}
ACTV: dict[str, Any] = {
    "measure": "NRM_REFERRALS",
    "period_start": date(2026, 1, 1),
    "period_end": date(2026, 3, 31),
    "area": "E23000020",
    "count": 5,
    "count_status": "ACTUAL",
    "unit": "CHILDREN",
}
MISS: dict[str, Any] = {
    "missing_type": "M",
    "start_date": DAY,
    "end_date": date(2026, 2, 12),
    "reported_to_police_date": DAY,
    "return_interview": "OFFERED",
    "found_in_exploitation": "UNK",
    "outcome": "RETURNED",
}
GUAR: dict[str, Any] = {
    "referral_outcome": "ACCEPTED_DIRECT",
    "referral_date": DAY,
    "allocation_date": date(2026, 2, 12),
    "guardian_model": "DIRECT",
}
CARE: dict[str, Any] = {
    "spell_type": "PLACEMENT",
    "placement_type": "FOSTER",
    "start_date": DAY,
    "placed_out_of_area": "NO",
    "placed_in_hotel": "NO",
    "responsible_la": "E10000019",
}
JUST: dict[str, Any] = {
    "subject_role": "EXPLOITER",
    "event_type": "CHARGE",
    "offence": ("MSA_S2",),
    "force": "E23000020",
}
NARR: dict[str, Any] = {
    "narrative_type": "BARRIER",
    "body": "x" * 60,
    "redaction_confirmed": True,
    "publishable": "ANON_ONLY",
}
GOOD = {
    "CASE": CASE,
    "EXPL": EXPL,
    "DECN": DECN,
    "ACTV": ACTV,
    "MISS": MISS,
    "GUAR": GUAR,
    "CARE": CARE,
    "JUST": JUST,
    "NARR": NARR,
}


def broken(kind: str, ctx: RecordContext = CONTEXT, /, **changed: object) -> list[str]:
    """The rules that a changed record breaks, each with the column it names."""
    record = {**GOOD[kind], **changed}
    return [
        f"{rule.code} {each.column}" for rule in rules_for(kind) for each in rule.check(record, ctx)
    ]


@pytest.mark.parametrize("kind", GOOD)
def test_good_record_breaks_no_rule(kind: str) -> None:
    assert broken(kind) == []


NOT_REFERRED = {
    "nrm_referred": "NO",
    "nrm_referral_date": None,
    "nrm_first_responder": None,
    "competent_authority": None,
    "nrm_not_referred_reason": "INSUFF",
    "data_confidence": "SUSPECTED",
}
TOO_OLD = ["CT-031 age_at_referral"]
VIETNAMESE = {"nationality_1": "VNM"}
BOTH = {"location_category": "UK_OVERSEAS"}
SCOTTISH = {
    "referral_nation": "S92000003",
    "referral_la": "S12000005",
    "referral_pfa": "S23000009",
}
IRISH = {"referral_nation": "N92000002", "referral_la": "N09000003", "referral_pfa": "PFA_NI"}
FORMER = {"age_at_referral": 20, "birth_year_month": "2005-06", "age_at_exploitation_start": 15}

BREAKS: list[tuple[str, dict[str, object], list[str]]] = [
    ("CASE", {"age_at_referral": None}, ["CT-030 age_at_referral"]),
    ("CASE", {"birth_year_month": None}, ["CT-030 birth_year_month"]),
    ("CASE", {"birth_date_status": "NOT_KNOWN"}, ["CT-030 birth_year_month"]),
    (
        "CASE",
        {"birth_date_status": "NOT_KNOWN", "birth_year_month": None, "age_at_referral": None},
        [],
    ),
    ("CASE", {"birth_date_status": "WHD", "birth_year_month": None}, []),
    ("CASE", {**FORMER, "age_at_exploitation_start": None}, ["CT-031 age_at_referral"]),
    ("CASE", {**FORMER, "age_at_exploitation_start": 18}, ["CT-031 age_at_referral"]),
    ("CASE", FORMER, []),
    ("CASE", {**FORMER, "age_at_referral": 25, "birth_year_month": "2000-06"}, []),
    ("CASE", {**FORMER, "age_at_referral": 26, "birth_year_month": "1999-06"}, TOO_OLD),
    ("CASE", {"birth_year_month": "2010-02"}, []),
    ("CASE", {"birth_year_month": "2011-02"}, []),
    ("CASE", {"birth_year_month": "2011-03"}, ["CT-032 age_at_referral"]),
    ("CASE", {"birth_year_month": "2010-01"}, ["CT-032 age_at_referral"]),
    ("CASE", {"age_at_exploitation_start": 16}, ["CT-033 age_at_exploitation_start"]),
    ("CASE", {"age_at_exploitation_start": 15}, []),
    ("CASE", {"age_dispute_status": "RESOLVED_ADULT"}, ["CT-034 age_dispute_status"]),
    ("CASE", {"age_dispute_status": "RESOLVED_ADULT", "age_at_exploitation_start": 14}, []),
    ("CASE", {"birth_date_status": "ASSESSED"}, ["CT-035 birth_date_status"]),
    ("CASE", {"birth_date_status": "ESTIMATED"}, ["CT-035 birth_date_status"]),
    ("CASE", {"birth_date_status": "ASSESSED", **VIETNAMESE, "uasc": "YES",
              "immigration_status": "REFUGEE"}, []),
    ("CASE", {"birth_date_status": "ESTIMATED", "age_dispute_status": "OPEN"}, []),
    ("CASE", {"identification_date": date(2026, 2, 11)}, ["CT-036 nrm_referral_date"]),
    ("CASE", {"competent_authority": None}, ["CT-037 competent_authority"]),
    ("CASE", NOT_REFERRED, []),
    ("CASE", {**NOT_REFERRED, "competent_authority": "SCA"}, ["CT-037 competent_authority"]),
    ("CASE", {**NOT_REFERRED, "nrm_not_referred_reason": None}, ["CT-038 nrm_not_referred_reason"]),
    ("CASE", {"nrm_not_referred_reason": "OTHER"}, ["CT-038 nrm_not_referred_reason"]),
    ("CASE", {"nrm_first_responder": "CPS"}, ["CT-039 nrm_first_responder"]),
    ("CASE", {"nrm_first_responder": "POL-NOWHERE"}, ["CT-039 nrm_first_responder"]),
    ("CASE", {"referral_la": "W06000001"}, ["CT-040 referral_la"]),
    ("CASE", {"referral_pfa": "W15000001"}, ["CT-040 referral_pfa"]),
    ("CASE", SCOTTISH, []),
    ("CASE", IRISH, []),
    ("CASE", {"referral_la": "UNK"}, []),
    ("CASE", {"referral_la": None}, ["CT-014 referral_la"]),
    ("CASE", {"referral_nation": "UNK", "referral_la": None}, []),
    ("CASE", {"la_notified_date": date(2026, 2, 13)}, ["CT-041 la_notified_date"]),
    ("CASE", {"la_notified_date": date(2026, 2, 12)}, []),
    ("CASE", {"police_notified_date": date(2026, 2, 9)}, ["CT-041 police_notified_date"]),
    ("CASE", {"police_notified_date": date(2026, 4, 9)}, []),
    ("CASE", {"nrm_referral_date": date(2026, 3, 12)}, []),
    ("CASE", {"nrm_referral_date": date(2026, 3, 13)}, ["CT-042 nrm_referral_date"]),
    ("CASE", {"nationality_1": "VNM"}, ["CT-054 immigration_status"]),
    ("CASE", {"nationality_1": "VNM", "immigration_status": "REFUGEE"}, []),
    ("CASE", {**VIETNAMESE, "immigration_status": "BRIT_IRISH"}, ["CT-054 immigration_status"]),
    ("CASE", {**VIETNAMESE, "nationality_2": "IRL", "immigration_status": "BRIT_IRISH"}, []),
    ("CASE", {"nationality_2": "GBR"}, ["CT-055 nationality_2"]),
    ("CASE", {"nationality_1": "UNK", "nationality_2": "UNK", "immigration_status": "UNK"}, []),
    ("CASE", {"uasc": "YES"}, ["CT-055 uasc"]),
    ("CASE", {"lt_name_dob": None}, ["CT-101 link_scheme"]),
    ("CASE", {"lt_name_dob": None, "lt_phon_yob": "c" * 64}, ["CT-101 link_scheme"]),
    ("CASE", {"lt_name_dob": None, "lt_upn": "c" * 64}, []),
    ("CASE", {"link_scheme": "NONE", "link_absent_reason": "SAFETY"}, ["CT-101 link_scheme"]),
    ("CASE", {"link_scheme": "NONE", "lt_name_dob": None}, ["CT-101 link_absent_reason"]),
    ("CASE", {"link_scheme": "NONE", "lt_name_dob": None, "link_absent_reason": "SAFETY"}, []),
    ("EXPL", {"exploitation_type": "SEX", "exploitation_subtype": None}, ["CT-043 county_lines"]),
    ("EXPL", {"location_category": "UNK"}, ["CT-044 location_category"]),
    ("EXPL", {"movement_type": "NONE"}, ["CT-044 movement_type"]),
    ("EXPL", {"exploitation_subtype": "SEX.IMAGES"}, ["CT-045 exploitation_subtype"]),
    ("EXPL", {"exploitation_subtype": "WHD"}, []),
    ("EXPL", {"start_date": "2025-06", "end_date": "2025"}, []),
    ("EXPL", {"start_date": "2025-06", "end_date": "2025-06-01"}, []),
    ("EXPL", {"start_date": "2025-07", "end_date": "2025-06-30"}, ["CT-047 end_date"]),
    ("EXPL", {"start_date": "2026", "end_date": "2025-12"}, ["CT-047 end_date"]),
    ("EXPL", {"uk_la": None}, ["CT-050 uk_la"]),
    ("EXPL", {"uk_la": ("UNK",)}, []),
    ("EXPL", {"location_category": "UK_OVERSEAS"}, ["CT-050 overseas_country"]),
    ("EXPL", {**BOTH, "overseas_country": ("GBR",)}, ["CT-050 overseas_country"]),
    ("EXPL", {"location_category": "UK_OVERSEAS", "overseas_country": ("VNM",)}, []),
    (
        "EXPL",
        {"county_lines": "NO", "location_category": "OVERSEAS", "overseas_country": ("VNM",)},
        ["CT-051 movement_type"],
    ),
    ("DECN", {"decision_outcome": "GRANTED"}, ["CT-059 decision_outcome"]),
    ("DECN", {"decision_type": "REVIEW", "decision_outcome": "UPHELD"}, []),
    ("DECN", {"decision_outcome": "WHD"}, []),
    ("DECN", {"decision_outcome": "NEGATIVE"}, ["CT-060 negative_reason"]),
    ("DECN", {"decision_outcome": "NEGATIVE", "negative_reason": "OTHER"}, []),
    ("DECN", {"negative_reason": "OTHER"}, ["CT-060 negative_reason"]),
    ("DECN", {"is_reconsideration": True}, ["CT-062 reconsiders_id"]),
    ("DECN", {"is_reconsideration": True, "reconsiders_id": "a"}, ["CT-062 reconsiders_id"]),
    ("DECN", {"is_reconsideration": True, "reconsiders_id": "b"}, []),
    ("MISS", {"end_date": date(2026, 2, 9)}, ["CT-067 end_date"]),
    ("MISS", {"end_date": DAY}, []),
    ("MISS", {"outcome": "STILL_MISSING"}, ["CT-070 outcome"]),
    ("MISS", {"outcome": None}, ["CT-070 outcome"]),
    ("MISS", {"return_interview": None}, ["CT-070 return_interview"]),
    ("MISS", {"found_in_exploitation": None}, ["CT-070 found_in_exploitation"]),
    ("MISS", {"end_date": None}, ["CT-070 outcome"]),
    ("MISS", {"end_date": None, "outcome": "STILL_MISSING"}, []),
    ("MISS", {"end_date": None, "outcome": "TURNED18_MISSING"}, []),
    ("MISS", {"end_date": None, "outcome": "UNK"}, []),
    ("MISS", {"reported_to_police_date": date(2026, 2, 11)}, []),
    ("MISS", {"reported_to_police_date": date(2026, 2, 12)}, ["CT-071 reported_to_police_date"]),
    ("MISS", {"reported_to_police_date": date(2026, 2, 9)}, ["CT-071 reported_to_police_date"]),
    ("MISS", {"reported_to_police_date": None}, []),
    ("MISS", {"end_date": None, "outcome": None}, ["CT-072 outcome"]),
    ("MISS", {"end_date": None, "outcome": None, "missing_type": "A"}, []),
    ("MISS", {"end_date": None, "outcome": None, "start_date": date(2026, 3, 3),
              "reported_to_police_date": None}, []),
    ("MISS", {"end_date": None, "outcome": None, "start_date": date(2026, 3, 2),
              "reported_to_police_date": None}, ["CT-072 outcome"]),
    ("GUAR", {"allocation_date": None}, ["CT-073 allocation_date"]),
    ("GUAR", {"guardian_model": None}, ["CT-073 guardian_model"]),
    ("GUAR", {"referral_outcome": "ACCEPTED_RPC", "guardian_model": None},
     ["CT-073 guardian_model"]),
    ("GUAR", {"referral_outcome": "NOT_REFERRED", "not_referred_reason": "REFUSED"},
     ["CT-073 referral_date"]),
    ("GUAR", {"referral_outcome": "NOT_REFERRED", "referral_date": None},
     ["CT-073 not_referred_reason"]),
    ("GUAR", {"referral_outcome": "WAITING", "allocation_date": None, "guardian_model": None}, []),
    ("GUAR", {"referral_outcome": "WAITING", "referral_date": None}, ["CT-014 referral_date"]),
    ("GUAR", {"end_date": date(2026, 3, 1)}, ["CT-014 end_reason"]),
    ("GUAR", {"end_date": date(2026, 3, 1), "end_reason": "TURNED18"}, []),
    ("GUAR", {"allocation_date": date(2026, 2, 9)}, ["CT-074 allocation_date"]),
    ("GUAR", {"end_date": date(2026, 2, 11), "end_reason": "TURNED18"}, ["CT-074 end_date"]),
    ("CARE", {"placed_in_hotel": None}, ["CT-014 placed_in_hotel"]),
    ("CARE", {"placed_out_of_area": None}, ["CT-014 placed_out_of_area"]),
    ("CARE", {"responsible_la": None}, ["CT-014 responsible_la"]),
    ("CARE", {"end_date": date(2026, 2, 9)}, ["CT-077 end_date"]),
    ("CARE", {"placement_type": None}, ["CT-078 placement_type"]),
    ("CARE", {"care_status": "C2"}, ["CT-078 care_status"]),
    ("CARE", {"spell_type": "SUPPORT", "placement_type": None, "support_type": "LEGAL"}, []),
    ("CARE", {"placement_type": "HOTEL"}, ["CT-080 placed_in_hotel"]),
    ("CARE", {"placement_type": "HOTEL", "placed_in_hotel": "UNK"}, ["CT-080 placed_in_hotel"]),
    ("CARE", {"placement_type": "HOTEL", "placed_in_hotel": "YES"}, []),
    ("JUST", {"offence": None}, ["CT-082 offence"]),
    ("JUST", {"event_type": "ARREST", "offence": None}, []),
    ("JUST", {"event_type": "CONVICTION_QUASHED", "offence": None}, ["CT-082 offence"]),
    ("JUST", {"event_type": "NO_CHARGE", "offence": None}, []),
    ("JUST", {"event_type": "POLICE_OUTCOME"}, ["CT-082 police_outcome"]),
    ("JUST", {"event_type": "TRIAL_OUTCOME"}, ["CT-082 court_outcome"]),
    ("JUST", {"event_type": "TRIAL_OUTCOME", "court_outcome": "ACQUITTED"}, []),
    ("JUST", {"event_type": "ORDER_MADE"}, ["CT-082 order_type"]),
    ("JUST", {"event_type": "SENTENCE"}, ["CT-082 sentence_months"]),
    ("JUST", {"s45_defence": "NOT_RAISED"}, ["CT-085 s45_defence"]),
    ("JUST", {"subject_role": "CHILD_AS_SUSPECT", "case_id": "a"}, ["CT-085 s45_defence"]),
    ("JUST", {"subject_role": "CHILD_AS_SUSPECT", "s45_defence": "UNK"}, ["CT-085 case_id"]),
    ("JUST", {"subject_role": "CHILD_AS_SUSPECT", "case_id": "a", "s45_defence": "UNK"}, []),
    ("JUST", {"offence": ("HTES_S1",)}, ["CT-086 offence"]),
    ("JUST", {"offence": ("MSA_S1",), "force": "S23000009"}, ["CT-086 offence"]),
    ("JUST", {"offence": ("HTES_S1", "DRUGS"), "force": "POL-S23000009"}, []),
    ("JUST", {"offence": ("HTENI_S2",), "force": "PFA_NI"}, []),
    ("JUST", {"offence": ("HTENI_S2",), "force": "NCA"}, []),
    ("JUST", {"offence": ("MSA_S1",), "force": "CPS"}, []),
    ("JUST", {"offence": ("HTES_S1",), "force": "CPS"}, ["CT-086 offence"]),
    ("NARR", {"body": None}, ["CT-098 body"]),
    ("NARR", {"redaction_confirmed": False}, ["CT-098 redaction_confirmed"]),
    ("NARR", {"body": None, "attachment_name": "a.pdf", "attachment_sha256": "0" * 64,
              "attachment_media_type": "application/pdf"}, []),
    ("NARR", {"attachment_name": "a.pdf", "attachment_sha256": "0" * 64},
     ["CT-014 attachment_media_type"]),
    ("NARR", {"narrative_type": "CHILD_VOICE"}, ["CT-099 child_consent"]),
    ("NARR", {"narrative_type": "CASE_STUDY", "child_consent": "NO"}, ["CT-099 child_consent"]),
    ("NARR", {"narrative_type": "CHILD_VOICE", "child_consent": "REF"}, ["CT-099 child_consent"]),
    ("NARR", {"narrative_type": "CASE_STUDY", "child_consent": "UNK"}, ["CT-099 child_consent"]),
    ("NARR", {"narrative_type": "CASE_STUDY", "child_consent": "CARER"}, []),
    ("NARR", {"child_consent": "REF"}, []),
    ("NARR", {"publishable": "YES", "child_consent": "CARER"}, ["CT-099 publishable"]),
    ("NARR", {"publishable": "YES", "child_consent": "BOTH"}, []),
    ("NARR", {"publishable": "YES", "child_consent": "NOT_NEEDED"}, []),
    ("ACTV", {"count": None}, ["CT-091 count"]),
    ("ACTV", {"count": 0}, []),
    ("ACTV", {"count": None, "count_status": "SUPPRESSED"}, []),
    ("ACTV", {"unit": "GBP"}, ["CT-092 unit"]),
    ("ACTV", {"measure": "MISSING_EPISODES", "unit": "EPISODES"}, []),
    ("ACTV", {"period_start": date(2025, 12, 31)}, ["CT-096 period_start"]),
    ("ACTV", {"period_end": date(2026, 4, 1)}, ["CT-096 period_start"]),
    ("ACTV", {"period_start": date(2026, 3, 1), "period_end": DAY}, ["CT-096 period_end"]),
    ("ACTV", {"area": "E23000001"}, ["CT-096 area"]),
    ("ACTV", {"area": "UK"}, ["CT-096 area"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "expected"), BREAKS)
def test_changed_record_breaks_exactly_these_rules(
    kind: str, change: dict[str, object], expected: list[str]
) -> None:
    assert broken(kind, **change) == expected


NO_DATES = {"birth_date_status": "NOT_KNOWN", "age_at_referral": None}

WORDS: list[tuple[str, dict[str, object], str]] = [
    ("CASE", NO_DATES, "a birth month is given, and birth_date_status says that it is not known"),
    ("CASE", {"birth_year_month": None},
     "a birth month is required, unless birth_date_status says that it is not known"),
    ("CASE", {"nrm_not_referred_reason": "OTHER"}, "it is given, and nrm_referred is not NO"),
    ("CASE", {"police_notified_date": date(2026, 2, 9)}, "this is before the child was identified"),
    ("CASE", {"link_scheme": "NONE"}, "it is NONE, and there are tokens"),
    ("CASE", {"lt_name_dob": None}, "it names a scheme, and there is no strong token"),
    ("DECN", {"negative_reason": "OTHER"}, "it is given, and the decision is not NEGATIVE"),
    ("MISS", {"reported_to_police_date": date(2026, 2, 9)}, "this is before the episode starts"),
    ("JUST", {"subject_role": "CHILD_AS_SUSPECT", "s45_defence": "UNK"},
     "the case of a child who is the suspect is required"),
    ("JUST", {"s45_defence": "UNK"}, "it is given, and the subject is not the child as suspect"),
    ("ACTV", {"period_end": date(2026, 4, 1)},
     "the dates of this count lie outside the period of this return"),
    ("ACTV", {"period_start": date(2026, 3, 1), "period_end": DAY},
     "this count ends before it starts"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "told"), WORDS)
def test_what_the_sentence_of_a_rule_does_not_fit_is_told_in_other_words(
    kind: str, change: dict[str, object], told: str
) -> None:
    record = {**GOOD[kind], **change}
    [found] = [each for rule in rules_for(kind) for each in rule.check(record, CONTEXT)]
    assert found.values["detail"] == told


def test_every_rule_is_seen_to_break() -> None:
    seen = {code.split()[0] for _, _, expected in BREAKS for code in expected} | {"CT-004"}
    assert seen == {rule.code for rule in RECORD_RULES}


def test_year_is_for_staff_and_spending() -> None:
    year = context(period_type="YEAR", period_start="2025-04-01", period_end="2026-03-31")
    assert broken("ACTV", year) == ["CT-004 measure"]
    [found] = rules_for("ACTV")[0].check(ACTV, year)
    assert found.values == {
        "detail": "a return for a year counts only SPEND_GBP, STAFF_IN_SCOPE, STAFF_TRAINED"
    }
    assert broken("ACTV", year, measure="STAFF_TRAINED", unit="STAFF") == []


def test_national_agency_counts_for_any_area() -> None:
    national = context(agency_id="NCA")
    assert broken("ACTV", national, area="UK") == broken("ACTV", national, area="E23000001") == []


def test_regional_unit_counts_for_its_region_and_the_councils_in_it() -> None:
    regional = context(agency_id="ROCU-WM")
    assert broken("ACTV", regional, area="E12000005") == []
    assert broken("ACTV", regional, area="E08000025") == []
    assert broken("ACTV", regional, area="E12000002") == ["CT-096 area"]


def test_every_rule_is_a_rule_of_the_standard_at_its_level() -> None:
    for rule in RECORD_RULES:
        assert rule.check.__doc__ is not None
        assert rule.check.__doc__.startswith(rule.code)
        level = STANDARD.rules[rule.code].level
        # What one record shows of a rule between several is told at once.
        assert level == "record" or rule.code in {"CT-014", "CT-004", "CT-077"}


CODES = st.none() | st.sampled_from(
    ["UNK", "WHD", "YES", "NO", "CRIM", "OVERSEAS", "UK", "NEGATIVE"]
)


@pytest.mark.parametrize("kind", ["CASE", "EXPL", "DECN", "GUAR", "MISS", "NARR"])
@given(data=st.data())
def test_rules_bear_any_field_left_out_and_any_code(kind: str, data: st.DataObject) -> None:
    record = dict(GOOD[kind])
    for name in data.draw(st.sets(st.sampled_from(sorted(record)))):
        is_code = isinstance(record[name], str) and name != "birth_year_month"
        record[name] = data.draw(CODES) if is_code else None
    for rule in rules_for(kind):
        for each in rule.check(record, CONTEXT):
            assert all(isinstance(value, str) for value in each.values.values())


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024-02-03", date(2024, 2, 3), date(2024, 2, 3)),
        (date(2024, 2, 3), date(2024, 2, 3), date(2024, 2, 3)),
    ],
)
def test_partial_date_stands_for_all_its_days(value: object, first: date, last: date) -> None:
    assert (first_day(value), last_day(value)) == (first, last)


def test_child_born_on_29_february_is_a_year_older_on_1_march() -> None:
    birth = date(2008, 2, 29)
    assert completed_years(birth, date(2026, 2, 28)) == 17
    assert completed_years(birth, date(2026, 3, 1)) == 18


DATES = st.dates(date(1990, 1, 1), date(2030, 1, 1))
PARTIAL = st.builds(
    lambda day, length: day.isoformat()[:length], DATES, st.sampled_from([4, 7, 10])
)


@given(PARTIAL, PARTIAL)
def test_order_of_partial_dates_agrees_with_the_days_they_stand_for(one: str, other: str) -> None:
    assert not (comes_after(one, other) and comes_after(other, one))
    if last_day(one) < first_day(other):
        assert not comes_after(one, other)
    if comes_after(one, other):
        assert first_day(one) > first_day(other)
