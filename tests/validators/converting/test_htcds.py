"""Cases in the columns of HTCDS become records of the children among them."""

import pytest

from tests.validators.converting.exports import (
    HTCDS,
    HTCDS_NUMBER,
    LOCAL_ID,
    STANDARD,
    htcds,
    judged,
)
from validators.converting.problems import SourceUnfit
from validators.linkage import Identity, day, linkage_fields


def test_the_gateway_accepts_what_comes_out() -> None:
    report = judged(htcds([HTCDS]))
    errors = [each.message() for each in report.findings if each.severity == "error"]
    assert (report.verdict, errors) == ("accepted", [])


def test_what_the_table_says_of_a_child() -> None:
    (case,) = htcds([HTCDS]).records["CASE"]
    identity = Identity("Marsela Ana", "Hoxha", day("2008-11-21"), "F")
    tokens = linkage_fields(identity, key=bytes(range(1, 33)))
    said = {
        **tokens,
        "birth_year_month": "2008-11",
        "age_at_referral": "17",
        "age_at_exploitation_start": "16",
        "sex": "F",
        "nationality_1": "ALB",
        "identification_date": "2026-02-09",
        "data_confidence": "SUSPECTED",
        "uasc": "NCL",
    }
    assert {name: case[name] for name in said} == said


def test_each_type_is_a_situation_and_the_first_is_the_primary_one() -> None:
    rows = htcds([HTCDS]).records["EXPL"]
    found = {row["exploitation_type"]: row for row in rows}
    assert {kind: row["is_primary"] for kind, row in found.items()} == {
        "SEX": "true",
        "LAB": "false",
    }
    assert found["SEX"]["exploitation_subtype"] == "SEX.PROST"
    assert found["SEX"]["means"] == "DEBT;THREAT"
    assert (found["SEX"]["recruitment_method"], found["SEX"]["online_element"]) == ("SOCIAL", "YES")
    assert found["LAB"].get("means", "") == ""


def test_the_order_of_the_types_does_not_change_ids() -> None:
    turned = HTCDS | {"vic_TypeOfExploitation": "ForcedLabour, SexualExploitation"}
    ids = [
        {row["exploitation_type"]: row["record_id"] for row in htcds([each]).records["EXPL"]}
        for each in (HTCDS, turned)
    ]
    assert ids[0] == ids[1]


@pytest.mark.parametrize(
    ("column", "value", "field", "code"),
    [
        ("vic_TypeOfExploitation", "ForcedBegging", "exploitation_subtype", "CRIM.BEGGING"),
        ("vic_TypeOfExploitation", "Servitude", "exploitation_type", "DOM"),
        ("vic_TypeOfExploitation", "OrganRemoval", "exploitation_type", "ORGAN"),
        ("vic_TypeOfExploitation", "", "exploitation_type", "UNK"),
        ("vic_MethodsOfControl", "Other", "means", "OTHER"),
        ("vic_MethodsOfControl", "Threats RestrictsMovement", "means", "THREAT;MOVE"),
        ("vic_TypeOfSexExploitation", "Prostitution;Pornography", "exploitation_subtype", ""),
    ],
)
def test_words_of_htcds_are_codes_here(column: str, value: str, field: str, code: str) -> None:
    rows = htcds([HTCDS | {column: value}]).records["EXPL"]
    primary = next(row for row in rows if row["is_primary"] == "true")
    assert primary.get(field, "") == code


@pytest.mark.parametrize(
    ("value", "sex", "identity"),
    [
        ("Masculine", "M", ""),
        ("Male", "M", ""),
        ("TransgenderMasculine", "U", "TRANS_BOY"),
        ("NonConforming", "U", "NONBINARY"),
        ("", "U", ""),
    ],
)
def test_gender_is_sex_only_where_it_says_so(value: str, sex: str, identity: str) -> None:
    (case,) = htcds([HTCDS | {"prs_Gender": value}]).records["CASE"]
    assert (case["sex"], case["gender_identity"]) == (sex, identity)


def test_only_a_court_confirms() -> None:
    def confidence(decided_by: str) -> str:
        decided = {
            "vic_TraffickingStatus": "ActualVictimOfTrafficking",
            "vic_TraffickingStatusDecisionMakingOrg": decided_by,
        }
        return htcds([HTCDS | decided]).records["CASE"][0]["data_confidence"]

    assert confidence("CourtOrProsecution") == "CONFIRMED"
    assert confidence("NGO") == confidence("Police") == "SUSPECTED"


def test_adults_and_the_ageless_are_passed_over_and_counted() -> None:
    adult = HTCDS | {HTCDS_NUMBER: "2", "prs_Birthdate": "1990-01-01", "vic_AgeWhenTrafficked": ""}
    ageless = HTCDS | {HTCDS_NUMBER: "3", "prs_Birthdate": "", "vic_AgeWhenTrafficked": ""}
    made = htcds([HTCDS, adult, ageless])
    assert len(made.records["CASE"]) == 1
    assert {note.rpartition(": ")[2] for note in made.notes[-2:]} == {"1"}
    listed = [{HTCDS_NUMBER: "3"}]
    assert len(htcds([HTCDS, ageless], listed).records["CASE"]) == 2


def test_names_of_columns_are_those_of_the_toolkits_too() -> None:
    spelled = {
        "prs_FirstName": "prs_First_Name",
        "prs_SecondName": "prs_Second_Name",
        "vic_MethodsOfControl": "vic_Methods_of_Control",
    }
    row = {spelled.get(name, name): value for name, value in HTCDS.items()}
    assert htcds([row]).records == htcds([HTCDS]).records


def test_two_citizenships_are_two_nationalities() -> None:
    (case,) = htcds([HTCDS | {"prs_Citizenship": "AL;GB"}]).records["CASE"]
    assert (case["nationality_1"], case["nationality_2"]) == ("ALB", "GBR")


@pytest.mark.parametrize(
    ("cell", "codes"),
    [
        ("AL GB", ["ALB", "GBR"]),
        ("ALB, GBR,", ["ALB", "GBR"]),
        ("Viet Nam", ["VNM"]),
        ("Vietnamese", ["VNM"]),
        ("South Sudanese Sudanese", ["SSD", "SDN"]),
        ("United Kingdom; Sri Lanka", ["GBR", "LKA"]),
        ("Iran, Islamic Republic of", ["IRN"]),
        ("Korea, Republic of;AL", ["KOR", "ALB"]),
        ("GB;GB", ["GBR"]),
    ],
)
def test_citizenships_are_codes_or_names(cell: str, codes: list[str]) -> None:
    (case,) = htcds([HTCDS | {"prs_Citizenship": cell}]).records["CASE"]
    given = [case[name] for name in ("nationality_1", "nationality_2")]
    assert list(filter(None, given)) == codes


def test_every_country_is_a_citizenship_by_its_name() -> None:
    for code, name in STANDARD.codelists["CL_COUNTRY"].items.items():
        (case,) = htcds([HTCDS | {"prs_Citizenship": name}]).records["CASE"]
        assert case["nationality_1"] == code


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("prs_Gender", "girl"),
        ("prs_Birthdate", "21st of November"),
        ("prs_Citizenship", "Marsela"),
        ("prs_Citizenship", "AL;GB;FR"),
        ("prs_PrimaryLanguage", "Albanian"),
        ("vic_AgeWhenTrafficked", "young"),
        ("vic_TraffickingStatus", "Maybe"),
        ("vic_TypeOfExploitation", "Exploited by Pat Example"),
        ("vic_ForcedLabourIndustry", "Farming"),
        ("vic_MethodsOfControl", "Shouting"),
        ("vic_MethodOfRecruitment", "Aunt"),
        ("cas_IncomingReferralDate", "yesterday"),
        (HTCDS_NUMBER, ""),
    ],
)
def test_what_is_not_known_is_named_by_row_and_column_and_not_shown(
    column: str, value: str
) -> None:
    with pytest.raises(SourceUnfit) as refused:
        htcds([HTCDS | {column: value}])
    found = [each.sentence() for each in refused.value.problems.kept]
    assert found[0].startswith(f"cases.csv, row 2, {column}: ")
    assert not value or not any(value in each for each in found)


def test_an_age_that_does_not_fit_the_dates_is_named_by_row() -> None:
    with pytest.raises(SourceUnfit) as refused:
        htcds([HTCDS | {"prs_Birthdate": "2012-01-01"}])
    (found,) = refused.value.problems.kept
    assert found.sentence().startswith("cases.csv, row 2: exploitation began at an older age")


def test_a_person_stands_in_the_table_once() -> None:
    with pytest.raises(SourceUnfit):
        htcds([HTCDS, HTCDS])


def test_a_number_is_in_no_record() -> None:
    made = htcds([HTCDS])
    assert not any(LOCAL_ID in row.values() for rows in made.records.values() for row in rows)


# The values of the survey in IOM's toolkit (Toolkit/Survey/htcds_xlsform.xml, CC BY 4.0), which are
# those of HTCDS 1.0 and 2.0.
SURVEY = {
    "prs_Gender": "Feminine Masculine TransgenderFeminine TransgenderMasculine NonConforming "
    "NonSpecifiedUnknown",
    "vic_MethodOfRecruitment": "AtAPlaceOfBusiness AtAnEducationalInstitution AtWork "
    "ThroughOnlineSocialNetworks ThroughAnOnlineAdvertisement ThroughATelevisionAdvert "
    "ThroughANewspaperAdvert ThroughFamilyOrFamilyEvents ThroughFriendsOrSocialEvents Other",
    "vic_TraffickingStatus": "PossibleVictimOfTrafficking ActualVictimOfTrafficking "
    "NotAVictimOfTrafficking",
    "vic_Methods_of_Control": "PhysicalThreats ThreatsLawEnforcement ThreatensChildrenFamily "
    "DebtBondage FalsePromises PhysicalAbuse SexualAbuse TakesEarnings RestrictsFinancialAccess "
    "RestrictsMedicalCare WithholdsNecessities PsychologicalAbuse PsychoactiveSubstance "
    "ExcessiveWorkingHours WithholdsDocuments Other",
    "vic_TypeOfExploitation": "ForcedLabour SexualExploitation ChildLabour ForcedMarriage "
    "Servitude ForcedMilitaryByNonStateActors OrganRemoval ForcedBegging ForcedAdoption Surrogacy "
    "Other",
    "vic_TypeOfSexExploitation": "Prostitution Pornography RemoteInteractiveServices "
    "PrivateSexualServices",
    "vic_ForcedLabourIndustry": "A_AgricultureForestryAndFishing "
    "T_ActivitiesOfHouseholdsAsEmployers U_ActivitiesOfExtraterritorialOrganizations",
}


@pytest.mark.parametrize(
    ("column", "value"), [(name, word) for name, words in SURVEY.items() for word in words.split()]
)
def test_every_value_of_the_toolkits_survey_is_taken(column: str, value: str) -> None:
    named = {key: text for key, text in HTCDS.items() if key != column.replace("_of_C", "OfC")}
    named.pop("vic_MethodsOfControl" if column == "vic_Methods_of_Control" else column, None)
    assert htcds([{**named, column: value}]).records["CASE"]
