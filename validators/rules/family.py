"""Rules between a case and the rows about it (CTDS section 8).

Owns CT-027, CT-046, CT-048, CT-049, CT-052, CT-053, CT-069, CT-075, CT-076, CT-079 and CT-081, and
the part of CT-080 that needs the child's age. Decisions are in `decisions`.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from validators.rules.dates import completed_years, first_day, last_day
from validators.rules.group import Family, GroupRule, Misfit, misfit
from validators.rules.rule import SENTINELS, RecordContext

_ENGLAND, _WALES, _SCOTLAND, _NORTHERN_IRELAND = "E92000001", "W92000004", "S92000003", "N92000002"
_SERVICES = {
    "ICTG_EW": frozenset({_ENGLAND, _WALES}),
    "GS_SCOT": frozenset({_SCOTLAND}),
    "IGS_NI": frozenset({_NORTHERN_IRELAND}),
}
_LEGAL_IN_ENGLAND_AND_WALES = frozenset({"C1", "C2", "E1", "L1", "L2", "L3", "J2", "J3"})
_KNOWS_GUARDIANS = frozenset({"LA", "GUARD"})
_EXPLOITED = frozenset({"11A", "12A", "24A"})
_NOT_UNACCOMPANIED = "factor 9A is for unaccompanied children, and uasc of the case is not YES"
_ADULT, _MAY_LIVE_ALONE = 18, 16


def case_has_exploitation(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-027: a new case comes with an exploitation situation."""
    if family.case is not None and family.is_whole and not family.of("EXPL"):
        yield misfit(family.case, "record_id", value=family.case.record["record_id"])


def case_has_one_primary(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-046: exactly one situation of a case is the primary one."""
    situations = family.of("EXPL")
    primary = [each for each in situations if each.record["is_primary"] is True]
    if len(primary) > 1 or (situations and not primary and family.is_whole):
        for each in primary or situations:
            yield misfit(each, "is_primary", value=each.record["case_id"], n=len(primary))


def exploitation_began_in_childhood(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-048: exploitation starts before the month in which the child turns 18."""
    adult = _month_of_birthday(family, _ADULT)
    for each in family.of("EXPL"):
        start = each.record["start_date"]
        if adult is not None and start is not None and first_day(start) >= adult:
            yield misfit(each, "start_date")


def exploitation_began_before_referral(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-049: exploitation does not start after the NRM referral."""
    referred = _of_case(family, "nrm_referral_date")
    for each in family.of("EXPL"):
        start = each.record["start_date"]
        if referred is not None and start is not None and first_day(start) > referred:
            yield misfit(each, "start_date")


def entry_fits_identification(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-052: who entered the UK did so before being found there, and was not born there."""
    identified = _of_case(family, "identification_date")
    for each in family.of("EXPL"):
        entered = each.record["uk_entry_date"]
        if entered is None:
            continue
        if identified is not None and first_day(entered) > identified:
            yield misfit(each, "uk_entry_date")
        if each.record["uk_entry_route"] == "BORN_UK":
            detail = "who was born in the UK has no date of entry"
            yield misfit(each, "uk_entry_route", detail=detail)


def situation_is_listed_once(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-053: no two situations of a case have one type and one start."""
    keys = {
        each.place: (each.record["exploitation_type"], each.record["start_date"])
        for each in family.of("EXPL")
        if each.record["start_date"] is not None
    }
    times = Counter(keys.values())
    for each in family.of("EXPL"):
        if times[keys.get(each.place, ("", None))] > 1:
            yield misfit(each, "start_date")


def missing_in_childhood(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-069: an episode starts after the birth month and before the 18th birthday's."""
    month, adult = _of_case(family, "birth_year_month"), _month_of_birthday(family, _ADULT)
    for each in family.of("MISS"):
        start = each.record["start_date"]
        if adult is not None and not last_day(month) < start < adult:
            yield misfit(each, "start_date")


def guardian_works_in_nation(family: Family, ctx: RecordContext) -> Iterator[Misfit]:
    """CT-075: the guardian service covers the nation of the referral."""
    nation = _of_case(family, "referral_nation")
    for each in family.of("GUAR"):
        where = _SERVICES.get(each.record["guardian_service"])
        if where is not None and _is_known(nation) and nation not in where:
            yield misfit(each, "guardian_service", nation=_label(nation, ctx))


def child_has_guardian_referral(family: Family, ctx: RecordContext) -> Iterator[Misfit]:
    """CT-076: where there is a guardian service, those who would know say something of it.

    Every nation has one. A police force or a charity does not hold guardianship records.
    """
    asked = ctx.agency.agency_type in _KNOWS_GUARDIANS and family.is_whole
    if (
        family.case is not None
        and asked
        and _is_known(_of_case(family, "referral_nation"))
        and not family.of("GUAR")
    ):
        yield misfit(family.case, "record_id")


def legal_status_exists_there(family: Family, ctx: RecordContext) -> Iterator[Misfit]:
    """CT-079: Scottish orders only in Scotland, those of the Children Act not there."""
    nation = _of_case(family, "referral_nation")
    for each in family.of("CARE"):
        status = each.record["care_status"]
        if not _is_known(nation) or status is None:
            continue
        scottish = status == "CSO" and nation != _SCOTLAND
        foreign = status in _LEGAL_IN_ENGLAND_AND_WALES and nation not in {_ENGLAND, _WALES}
        if scottish or foreign:
            yield misfit(each, "care_status", value=status, nation=_label(nation, ctx))


def lives_alone_from_16(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-080: nobody who cannot have turned 16 lives independently."""
    month = _of_case(family, "birth_year_month")
    for each in family.of("CARE"):
        alone = each.record["placement_type"] == "INDEP" and month is not None
        if alone and completed_years(first_day(month), each.record["start_date"]) < _MAY_LIVE_ALONE:
            yield misfit(each, "placement_type", value="INDEP")


def factors_fit_case(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-081: factor 9A is for unaccompanied children; a factor of exploitation is among them."""
    rows = [each for each in family.of("CARE") if each.record["cin_factors"]]
    factors = {factor for each in rows for factor in each.record["cin_factors"]} - SENTINELS
    unspoken = family.is_whole and bool(factors) and factors.isdisjoint(_EXPLOITED)
    unaccompanied = _of_case(family, "uasc")
    for each in rows:
        if unspoken:
            yield misfit(each, "cin_factors")
        if "9A" in each.record["cin_factors"] and unaccompanied not in {None, "YES"}:
            yield misfit(each, "cin_factors", detail=_NOT_UNACCOMPANIED)


def _of_case(family: Family, column: str) -> Any:
    return None if family.case is None else family.case.record[column]


def _is_known(nation: object) -> bool:
    return nation is not None and nation not in SENTINELS


def _label(nation: object, ctx: RecordContext) -> str:
    return ctx.standard.codelists["CL_NATION"].items[str(nation)]


def _month_of_birthday(family: Family, age: int) -> date | None:
    """The first day of the month in which the child reaches this age."""
    month = _of_case(family, "birth_year_month")
    if month is None:
        return None
    born = first_day(month)
    return born.replace(year=born.year + age)


_CASE_EXPL = frozenset({"CASE", "EXPL"})
_EXPL = frozenset({"EXPL"})

RULES: tuple[GroupRule[Family], ...] = (
    GroupRule("CT-027", frozenset({"CASE"}), case_has_exploitation),
    GroupRule("CT-046", _EXPL, case_has_one_primary),
    GroupRule("CT-048", _CASE_EXPL, exploitation_began_in_childhood),
    GroupRule("CT-049", _CASE_EXPL, exploitation_began_before_referral),
    GroupRule("CT-052", _CASE_EXPL, entry_fits_identification),
    GroupRule("CT-053", _EXPL, situation_is_listed_once),
    GroupRule("CT-069", frozenset({"CASE", "MISS"}), missing_in_childhood),
    GroupRule("CT-075", frozenset({"CASE", "GUAR"}), guardian_works_in_nation),
    GroupRule("CT-076", frozenset({"CASE", "GUAR"}), child_has_guardian_referral),
    GroupRule("CT-079", frozenset({"CASE", "CARE"}), legal_status_exists_there),
    GroupRule("CT-080", frozenset({"CASE", "CARE"}), lives_alone_from_16),
    GroupRule("CT-081", frozenset({"CASE", "CARE"}), factors_fit_case),
)
