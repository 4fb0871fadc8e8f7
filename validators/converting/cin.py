"""The children in need census, made into CASE, EXPL and CARE.

CTDS section 9.3. A child is in scope where an assessment found trafficking (factor 12A), or where
the agency's list of children has it. The day of suspicion is that on which the first such
assessment was authorised, else begun; the list may say better. The factor 9A is an unaccompanied
child, but a child without it is not said to be none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from validators.converting.cases import Cases, Event, Seen
from validators.converting.children import fits, require_found
from validators.converting.cinxml import CensusChild, Element, read_census
from validators.converting.made import Conversion
from validators.converting.problems import Place, Problems
from validators.converting.sender import Sender
from validators.converting.tables import Source
from validators.linkage import day
from validators.linkage.days import HOW_TO_WRITE

NUMBER = "LAchildID"
_TRAFFICKING, _UNACCOMPANIED = "12A", "9A"
_SPOKEN_OF = frozenset({"11A", _TRAFFICKING, "24A"})
_SEXES = {"1": "M", "2": "F", "M": "M", "F": "F", "0": "U", "9": "U", "U": "U", "I": "I", "": "U"}
_SOURCES = {
    "1A": "FAMILY",
    "1B": "PUBLIC",
    "1C": "CHILD",
    "1D": "PUBLIC",
    "2A": "EDU",
    "2B": "EDU",
    "3A": "HEALTH",
    "3B": "HEALTH",
    "3C": "HEALTH",
    "3D": "HEALTH",
    "3E": "HEALTH",
    "3F": "HEALTH",
    "4": "OTHER",
    "5A": "LA",
    "5B": "LA",
    "5C": "LA",
    "5D": "LA",
    "6": "POLICE",
    "7": "LEGAL",
    "8": "OTHER",
    "9": "PUBLIC",
    "10": "UNK",
}
_PLANS = (
    ("CINPlanDates", "CIN", "CINPlanStartDate", "CINPlanEndDate"),
    ("ChildProtectionPlans", "CP", "CPPstartDate", "CPPendDate"),
    ("Section47", "S47", "S47ActualStartDate", ""),
)
_AS_CENSUS = "Write it as the guide to the census has it."
_DAY = f"{HOW_TO_WRITE[:1].upper()}{HOW_TO_WRITE[1:]}."


@dataclass(frozen=True, slots=True)
class _Referral:
    """One referral of a child: what its assessments found, and the plans that came of it."""

    element: Element
    factors: tuple[str, ...]
    suspected: date | None
    plans: tuple[tuple[str, date, date | None], ...]


def convert_cin(source: Source, cases: Cases) -> Conversion:
    """Return the records about the children in scope; raises SourceUnfit."""
    problems = cases.problems
    found: dict[str, Place] = {}
    for each in read_census(source, problems):
        number = next(iter(each.record.all("ChildIdentifiers")), Element("")).value(NUMBER)
        if number not in cases.children and not _is_suspected(each.record):
            continue
        if not number:
            problems.add(each.place, "it is blank", mend=_AS_CENSUS, column=NUMBER)
        elif number in found:
            message = f"the child stands in the file twice, first as number {found[number].row}"
            problems.add(each.place, message, mend="Keep one record for each child.", column=NUMBER)
        else:
            found[number] = each.place
            _add(each, number, cases)
    require_found(cases.children, found, problems, number=NUMBER)
    return cases.conversion()


def _is_suspected(record: Element) -> bool:
    return any(_code(each) == _TRAFFICKING for each in record.within("AssessmentFactors"))


def _code(element: Element) -> str:
    return element.text.strip().upper()


def _add(each: CensusChild, number: str, cases: Cases) -> None:
    problems, record = cases.problems, each.record
    before = problems.count
    identifiers = next(iter(record.all("ChildIdentifiers")))
    born = _day(identifiers, "PersonBirthDate", each.place, problems)
    referrals = [_referral(part, each.place, problems) for part in record.all("CINdetails")]
    for factor in {code for referral in referrals for code in referral.factors}:
        if not fits("CARE", "cin_factors", factor, cases.sender):
            problems.add(each.place, "it is not known", mend=_AS_CENSUS, column="AssessmentFactors")
    case = _case(record, identifiers, referrals, cases.sender, each.place, problems)
    if problems.count > before:
        return
    seen = Seen(each.place, number, born, {"upn": identifiers.value("UPN")}, case)
    since = cases.add(seen)
    if since is None:
        return
    plans: dict[tuple[str, ...], Event] = {}
    for referral in referrals:
        for event in _plans(referral, cases.sender, since, each.place):
            same = plans.setdefault(tuple(event.told_apart_by), event)
            if same.known != event.known:
                message = f"two {event.known['plan_type']} begin on one day, and differ"
                problems.add(each.place, message, mend="Keep one of them.", column="CINdetails")
    for event in plans.values():
        cases.add_event(number, event)


def _case(
    record: Element,
    identifiers: Element,
    referrals: Sequence[_Referral],
    sender: Sender,
    place: Place,
    problems: Problems,
) -> dict[str, str]:
    """What the census says in columns of CASE."""
    case = {"sex": _SEXES.get(identifiers.value("GenderCurrent", "Sex").upper(), "")}
    if not case["sex"]:
        problems.add(place, "it is not known", mend=_AS_CENSUS, column="GenderCurrent")
    traits = next(iter(record.all("ChildCharacteristics")), Element(""))
    disabilities = dict.fromkeys(_code(part) for part in traits.within("Disability"))
    for column, tag, code in (
        ("ethnicity", "Ethnicity", traits.value("Ethnicity").upper() or "NOBT"),
        ("disability", "Disability", ";".join(code for code in disabilities if code)),
    ):
        if code and not fits("CASE", column, code, sender):
            problems.add(place, "it is not known", mend=_AS_CENSUS, column=tag)
        elif code:
            case[column] = code
    if any(_UNACCOMPANIED in referral.factors for referral in referrals):
        case["uasc"] = "YES"
    suspected = [each for each in referrals if each.suspected is not None]
    if suspected:
        first = min(suspected, key=lambda each: each.suspected or date.max)
        case |= _suspicion(first)
    return case


def _suspicion(referral: _Referral) -> dict[str, str]:
    """What follows from the referral in which trafficking was first found."""
    assert referral.suspected is not None
    case = {
        "identification_date": referral.suspected.isoformat(),
        "identification_route": "SOC_CARE",
    }
    source = _SOURCES.get(referral.element.value("ReferralSource").upper())
    if source is not None:
        case["referral_source"] = source
    answers = [
        plan for plan in ("S47", "CIN", "CP") if plan in {each[0] for each in referral.plans}
    ]
    if answers:
        case["safeguarding_response"] = ";".join(answers)
    return case


def _referral(element: Element, place: Place, problems: Problems) -> _Referral:
    suspected: list[date] = []
    factors: dict[str, None] = {}
    for assessment in element.all("Assessments"):
        found = [_code(each) for each in assessment.within("AssessmentFactors")]
        factors |= dict.fromkeys(code for code in found if code)
        if _TRAFFICKING in found:
            done = _day(assessment, "AssessmentAuthorisationDate", place, problems)
            begun = _day(assessment, "AssessmentActualStartDate", place, problems)
            suspected += [each for each in (done or begun,) if each is not None]
    plans = tuple(_plan_days(element, place, problems))
    return _Referral(element, tuple(factors), min(suspected, default=None), plans)


def _plan_days(
    element: Element, place: Place, problems: Problems
) -> Iterator[tuple[str, date, date | None]]:
    for tag, plan, first, last in _PLANS:
        for part in element.all(tag):
            start = _day(part, first, place, problems)
            end = _day(part, last, place, problems) if last else None
            if start is not None and end is not None and end < start:
                message = f"it is before {first}"
                problems.add(place, message, mend="Mend one of the two dates.", column=last)
            if start is not None:
                yield plan, start, end
    held = {_day(part, "DateOfInitialCPC", place, problems) for part in element.all("Section47")}
    held.add(_day(element, "DateOfInitialCPC", place, problems))
    for conference in sorted(each for each in held if each is not None):
        yield "ICPC", conference, conference


def _plans(referral: _Referral, sender: Sender, since: date, place: Place) -> Iterator[Event]:
    area = {"responsible_la": sender.authority} if sender.authority else {}
    # Factors of a referral that has nothing to do with exploitation are not the standard's matter.
    told = not _SPOKEN_OF.isdisjoint(referral.factors)
    factors = {"cin_factors": ";".join(referral.factors)} if told else {}
    for plan, start, end in dict.fromkeys(referral.plans):
        if sender.tells_of(start, end, since=since):
            known = {
                "spell_type": "PLAN",
                "plan_type": plan,
                "start_date": start.isoformat(),
                "end_date": "" if end is None else end.isoformat(),
                **factors,
                **area,
            }
            yield Event("CARE", ("PLAN", plan, known["start_date"]), known, {}, place)


def _day(element: Element, tag: str, place: Place, problems: Problems) -> date | None:
    text = element.value(tag)
    found = day(text)
    if found is None and text:
        problems.add(place, "it is not a date", mend=_DAY, column=tag)
    return found
