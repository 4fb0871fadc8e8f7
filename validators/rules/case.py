"""Record rules of CASE: CT-030 to CT-042, CT-054, CT-055 and CT-101 (CTDS section 8).

A field that the field table calls conditional and that no rule of its own names is asked for with
CT-014, like any other field that is required.
"""

from collections.abc import Iterator

from validators.areas import nation_of
from validators.rules.dates import completed_years, first_day, last_day
from validators.rules.rule import SENTINELS, Record, RecordContext, Rule, Violation, violation

_STRONG_TOKENS = ("lt_name_dob", "lt_nrm", "lt_upn", "lt_ho_ref")
_ALL_TOKENS = (*_STRONG_TOKENS, "lt_tokens_dob", "lt_phon_yob", "clk")
_NRM_DETAILS = ("nrm_referral_date", "nrm_first_responder", "competent_authority")
_BRITISH_OR_IRISH = frozenset({"GBR", "IRL"})


def age_or_unknown_birth(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-030: age and birth month are given, or the birth date is said to be not known."""
    status = record.get("birth_date_status")
    month_given = record.get("birth_year_month") is not None
    if status == "NOT_KNOWN":
        if month_given:
            detail = "a birth month is given, and birth_date_status says that it is not known"
            yield violation("birth_year_month", detail=detail)
        return
    if record.get("age_at_referral") is None:
        yield violation("age_at_referral")
    # A status withheld or not collected cannot oblige an agency to give the month itself.
    if not month_given and status not in SENTINELS:
        detail = "a birth month is required, unless birth_date_status says that it is not known"
        yield violation("birth_year_month", detail=detail)


def is_child_or_was_exploited_as_child(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-031: under 18 at referral; up to 25 only with exploitation that began under 18."""
    age = record.get("age_at_referral")
    began = record.get("age_at_exploitation_start")
    if age is not None and age >= 18 and not _exploited_as_child(age, began):
        yield violation("age_at_referral", age=age)


def _exploited_as_child(age: int, began: int | None) -> bool:
    return age <= 25 and began is not None and began < 18


def age_fits_birth_month(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-032: the stated age is possible for a birth on some day of the birth month."""
    month, age = record.get("birth_year_month"), record.get("age_at_referral")
    on = record.get("nrm_referral_date") or record.get("identification_date")
    if month is None or age is None or on is None:
        return
    youngest = completed_years(last_day(month), on)
    oldest = completed_years(first_day(month), on)
    if not youngest <= age <= oldest:
        yield violation("age_at_referral", age=age, month=month, date=on)


def exploitation_began_before_referral(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-033: age at the start of exploitation is not above age at referral."""
    began, age = record.get("age_at_exploitation_start"), record.get("age_at_referral")
    if began is not None and age is not None and began > age:
        yield violation("age_at_exploitation_start")


def resolved_adult_is_checked(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-034: a person found to be an adult counts only if exploited under 18."""
    began = record.get("age_at_exploitation_start")
    if record.get("age_dispute_status") == "RESOLVED_ADULT" and (began is None or began >= 18):
        yield violation("age_dispute_status")


def estimated_birth_has_reason(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-035: an estimated or assessed birth date goes with an age dispute or a UASC."""
    estimated = record.get("birth_date_status") in {"ESTIMATED", "ASSESSED"}
    if estimated and record.get("age_dispute_status") == "NONE" and record.get("uasc") != "YES":
        yield violation("birth_date_status")


def identified_before_referral(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-036: identification_date is not after nrm_referral_date."""
    identified, referred = record.get("identification_date"), record.get("nrm_referral_date")
    if identified and referred and identified > referred:
        yield violation("nrm_referral_date")


def nrm_details_fit(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-037: a referral has date, first responder and authority; no referral has none."""
    referred = record.get("nrm_referred")
    for column in _NRM_DETAILS:
        if (record.get(column) is not None) != (referred == "YES"):
            yield violation(column, value=referred)


def not_referred_has_reason(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-038: a reason stands beside NO and nowhere else."""
    given = record.get("nrm_not_referred_reason") is not None
    not_referred = record.get("nrm_referred") == "NO"
    if given and not not_referred:
        yield violation("nrm_not_referred_reason", detail="it is given, and nrm_referred is not NO")
    elif not_referred and not given:
        yield violation("nrm_not_referred_reason")


def referrer_is_first_responder(record: Record, ctx: RecordContext) -> Iterator[Violation]:
    """CT-039: the first responder stands on the register as one."""
    responder = record.get("nrm_first_responder")
    if responder is None or responder in SENTINELS:
        return
    agency = ctx.standard.agencies.get(responder)
    if agency is None or not agency.first_responder:
        yield violation("nrm_first_responder", value=responder)


def area_is_in_nation(record: Record, ctx: RecordContext) -> Iterator[Violation]:
    """CT-040: authority and police force area lie in the nation of the referral."""
    nation = record.get("referral_nation")
    if nation is None or nation in SENTINELS:
        return
    for column in ("referral_la", "referral_pfa"):
        area = record.get(column)
        if area is not None and area not in SENTINELS and nation_of(area, ctx.standard) != nation:
            label = ctx.standard.codelists["CL_NATION"].items.get(nation, nation)
            yield violation(column, la=area, nation=label)


def authority_given_if_nation_known(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-014 for referral_la: required unless the nation is not known (section 4.1)."""
    known = record.get("referral_nation") not in SENTINELS
    if known and record.get("referral_la") is None:
        yield violation("referral_la")


def services_told_in_time(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-041: nobody is told before identification, and the authority within 2 days of it."""
    identified = record.get("identification_date")
    if identified is None:
        return
    for column, within in (("la_notified_date", 2), ("police_notified_date", None)):
        told = record.get(column)
        days = 0 if told is None else (told - identified).days
        if days < 0:
            yield violation(column, detail="this is before the child was identified")
        elif within is not None and days > within:
            yield violation(column, n=days)


def referred_within_30_days(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-042: the NRM referral follows identification within 30 days."""
    identified, referred = record.get("identification_date"), record.get("nrm_referral_date")
    if identified and referred and (referred - identified).days > 30:
        yield violation("nrm_referral_date", n=(referred - identified).days)


def immigration_status_fits(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-054: others than British or Irish have a status, and only those two are BRIT_IRISH."""
    british_or_irish = not _BRITISH_OR_IRISH.isdisjoint(_nationalities(record))
    status = record.get("immigration_status")
    missing = status is None and not british_or_irish
    if missing or (status == "BRIT_IRISH" and not british_or_irish):
        yield violation("immigration_status", value="/".join(_nationalities(record)))


def nationalities_fit(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-055: two nationalities differ, and a British child is not unaccompanied asylum-seeking."""
    first, second = record.get("nationality_1"), record.get("nationality_2")
    if first == second and first not in SENTINELS:
        yield violation("nationality_2", value=second)
    if record.get("uasc") == "YES" and "GBR" in (first, second):
        yield violation("uasc", value="GBR")


def _nationalities(record: Record) -> list[str]:
    found = (record.get("nationality_1"), record.get("nationality_2"))
    return [nationality for nationality in found if nationality is not None]


def tokens_or_reason(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-101: a strong token under a scheme; or no token, scheme NONE and the reason."""
    scheme = record.get("link_scheme")
    linked = scheme != "NONE" and any(record.get(token) for token in _STRONG_TOKENS)
    bare = scheme == "NONE" and not any(record.get(token) for token in _ALL_TOKENS)
    if linked or (bare and record.get("link_absent_reason") is not None):
        return
    if bare:
        yield violation("link_absent_reason")
    elif scheme == "NONE":
        yield violation("link_scheme", detail="it is NONE, and there are tokens")
    else:
        yield violation("link_scheme", detail="it names a scheme, and there is no strong token")


_CASE = frozenset({"CASE"})

RULES = (
    Rule("CT-014", _CASE, authority_given_if_nation_known),
    Rule("CT-030", _CASE, age_or_unknown_birth),
    Rule("CT-031", _CASE, is_child_or_was_exploited_as_child),
    Rule("CT-032", _CASE, age_fits_birth_month),
    Rule("CT-033", _CASE, exploitation_began_before_referral),
    Rule("CT-034", _CASE, resolved_adult_is_checked),
    Rule("CT-035", _CASE, estimated_birth_has_reason),
    Rule("CT-036", _CASE, identified_before_referral),
    Rule("CT-037", _CASE, nrm_details_fit),
    Rule("CT-038", _CASE, not_referred_has_reason),
    Rule("CT-039", _CASE, referrer_is_first_responder),
    Rule("CT-040", _CASE, area_is_in_nation),
    Rule("CT-041", _CASE, services_told_in_time),
    Rule("CT-042", _CASE, referred_within_30_days),
    Rule("CT-054", _CASE, immigration_status_fits),
    Rule("CT-055", _CASE, nationalities_fit),
    Rule("CT-101", _CASE, tokens_or_reason),
)
