"""Rules between the decisions about a case, and the case (CTDS section 8).

Owns CT-056 to CT-058, CT-061, CT-063 to CT-066 and CT-087, and the part of CT-062 that needs the
other decisions. Working days are Monday to Friday: bank holidays differ by nation.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from validators.rules.group import Family, GroupRule, Member, Misfit, misfit
from validators.rules.rule import SENTINELS, RecordContext

_NRM = ("RG", "CG")
_WORKING_DAYS, _RECOVERY_DAYS = 5, 30
_CONVICTED = frozenset({"CONV_PLEA", "CONV_TRIAL"})
_NOT_SPOKEN_OF = frozenset({None, "NOT_RAISED"}) | SENTINELS
_FRIDAY = 4


def confirmed_was_referred(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-056: what is confirmed was referred, or found by a court."""
    if not family.is_whole or family.case is None:
        return
    confirmed = family.case.record["data_confidence"] in {"REASONABLE", "CONFIRMED"}
    found = _is_convicted(family) or any(
        each.record["s45_defence"] == "RAISED_COURT_OK" for each in family.of("JUST")
    )
    if confirmed and family.case.record["nrm_referred"] != "YES" and not found:
        yield misfit(family.case, "data_confidence")


def decided_after_referral(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-057: an NRM decision is not dated before the referral."""
    referred = _referred(family)
    for each in _decisions(family, *_NRM):
        if referred is not None and each.record["decision_date"] < referred:
            yield misfit(each, "decision_date")


def conclusive_follows_reasonable(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-058: a positive reasonable grounds decision stands before a conclusive one."""
    positive = [each.record["decision_date"] for each in _positive(family, "RG")]
    for each in _decisions(family, "CG"):
        preceded = any(day <= each.record["decision_date"] for day in positive)
        if family.is_whole and not preceded and each.record["decision_body"] != "DEVOLVED":
            yield misfit(each, "decision_type")


def decided_once(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-061: of each kind there is one decision that is not a reconsideration."""
    for kind in _NRM:
        decisions = _decisions(family, kind)
        original = [each for each in decisions if each.record["is_reconsideration"] is False]
        if len(original) > 1:
            for each in original:
                yield misfit(each, "decision_type", value=each.record["case_id"], type=kind)


def reconsidered_is_earlier(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-062: what is reconsidered is an earlier decision of the same case and type."""
    known = {each.record["record_id"]: each.record for each in family.of("DECN")}
    for each in family.of("DECN"):
        if each.record["is_reconsideration"] is not True or each.record["reconsiders_id"] is None:
            continue
        earlier = known.get(each.record["reconsiders_id"])
        if earlier is None:
            if family.is_whole:
                yield misfit(each, "reconsiders_id")
        elif (
            earlier["decision_type"] != each.record["decision_type"]
            or earlier["decision_date"] > each.record["decision_date"]
        ):
            detail = "the decision that it names is of another type, or later"
            yield misfit(each, "reconsiders_id", detail=detail)


def reasonable_within_5_days(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-063: reasonable grounds are decided within 5 working days of the referral."""
    referred = _referred(family)
    for each in _decisions(family, "RG"):
        if referred is None or each.record["is_reconsideration"] is True:
            continue
        days = working_days(referred, each.record["decision_date"])
        if days > _WORKING_DAYS:
            yield misfit(each, "decision_date", n=days)


def recovery_period_is_kept(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-064: 30 days lie between positive reasonable grounds and conclusive grounds."""
    positive = [each.record["decision_date"] for each in _positive(family, "RG")]
    for each in _decisions(family, "CG"):
        decided = each.record["decision_date"]
        since = [(decided - day).days for day in positive if day <= decided]
        if since and max(since) < _RECOVERY_DAYS and each.record["decision_body"] != "DEVOLVED":
            yield misfit(each, "decision_date", n=max(since))


def decided_cases_were_referred(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-065: only a case that was referred has NRM decisions."""
    if family.case is not None and family.case.record["nrm_referred"] != "YES":
        for each in _decisions(family, *_NRM):
            yield misfit(each, "decision_type")


def confidence_fits_decisions(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-066: confirmed needs conclusive grounds or a conviction, not a victim a negative one."""
    if not family.is_whole or family.case is None:
        return
    latest = _latest(family)
    outcome = None if latest is None else latest.record["decision_outcome"]
    concluded = latest is not None and latest.record["decision_type"] == "CG"
    confidence = family.case.record["data_confidence"]
    unproven = confidence == "CONFIRMED" and not (concluded and outcome == "POSITIVE")
    refuted = confidence == "NOT_VICTIM" and outcome != "NEGATIVE"
    if (unproven and not _is_convicted(family)) or refuted:
        yield misfit(family.case, "data_confidence")


def confirmed_victim_is_not_charged(family: Family, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-087: a charge after a positive conclusive decision says what became of the defence."""
    concluded = [each.record["decision_date"] for each in _positive(family, "CG")]
    for each in family.of("JUST"):
        record = each.record
        charged = (record["event_type"], record["subject_role"]) == ("CHARGE", "CHILD_AS_SUSPECT")
        after = any(day < record["event_date"] for day in concluded)
        if charged and after and record["s45_defence"] in _NOT_SPOKEN_OF:
            yield misfit(each, "s45_defence")


def working_days(start: date, end: date) -> int:
    """Count Monday to Friday after `start`, up to and with `end`; 0 when that is not later."""
    days = (end - start).days
    weeks, rest = divmod(max(days, 0), 7)
    later = (start + timedelta(days=n) for n in range(1, rest + 1))
    return weeks * 5 + sum(day.weekday() <= _FRIDAY for day in later)


def _decisions(family: Family, *kinds: str) -> list[Member]:
    return [each for each in family.of("DECN") if each.record["decision_type"] in kinds]


def _positive(family: Family, kind: str) -> list[Member]:
    decisions = _decisions(family, kind)
    return [each for each in decisions if each.record["decision_outcome"] == "POSITIVE"]


def _is_convicted(family: Family) -> bool:
    return any(each.record["court_outcome"] in _CONVICTED for each in family.of("JUST"))


def _latest(family: Family) -> Member | None:
    decisions = _decisions(family, *_NRM)
    # On one day the conclusive decision is the later one.
    kinds = {"RG": 0, "CG": 1}
    return max(
        decisions,
        key=lambda each: (each.record["decision_date"], kinds[each.record["decision_type"]]),
        default=None,
    )


def _referred(family: Family) -> date | None:
    referred: date | None = family.case and family.case.record["nrm_referral_date"]
    return referred


_DECN = frozenset({"DECN"})
_CASE_DECN = frozenset({"CASE", "DECN"})

RULES: tuple[GroupRule[Family], ...] = (
    GroupRule("CT-056", frozenset({"CASE", "JUST"}), confirmed_was_referred),
    GroupRule("CT-057", _CASE_DECN, decided_after_referral),
    GroupRule("CT-058", _DECN, conclusive_follows_reasonable),
    GroupRule("CT-061", _DECN, decided_once),
    GroupRule("CT-062", _DECN, reconsidered_is_earlier),
    GroupRule("CT-063", _CASE_DECN, reasonable_within_5_days),
    GroupRule("CT-064", _DECN, recovery_period_is_kept),
    GroupRule("CT-065", _CASE_DECN, decided_cases_were_referred),
    GroupRule("CT-066", _CASE_DECN, confidence_fits_decisions),
    GroupRule("CT-087", frozenset({"DECN", "JUST"}), confirmed_victim_is_not_charged),
)
