"""The rows of one package held against each other, once all of them have been read.

Owns which rows belong together and what is remembered of a row until then: the columns that group
rules look at, and nothing else. A broken row counts as being there; its values are not looked at.
What the rules say is in `rules`; which records are held from earlier is asked of History.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

from validators.accepted import AcceptedRows
from validators.fields.ids import is_record_id
from validators.filenames import is_package_name
from validators.findings import Finding, finding
from validators.held import Held, Sent, gone_with_its_case, sent
from validators.links import Links
from validators.package import Package
from validators.rules import child, decisions, family, investigation, tokens
from validators.rules.activity import BREAKDOWNS, Activity
from validators.rules.activity import RULES as ACTIVITY_RULES
from validators.rules.attachments import Scan, attachment_fault, attachment_name
from validators.rules.child import Child
from validators.rules.group import Family, GroupRule, Member, Misfit, Place, finding_at
from validators.rules.investigation import Course
from validators.rules.rule import RecordContext
from validators.rules.submission import History
from validators.rules.tokens import SHARED, Sharers

Group = TypeVar("Group")

FAMILY_RULES: tuple[GroupRule[Family], ...] = (*family.RULES, *decisions.RULES)

_UNNAMED = "no NARR row that could be read names this file, so it is not kept"
_ALWAYS = ("record_id", "record_action")
_ANY = ""
_LONGEST = 64
"""Longer texts are neither references nor actions, and are not kept whole."""
_LOOKED_AT = {
    "CASE": (
        *("person_ref", "birth_year_month", "sex", "uasc", "identification_date"),
        *("nrm_referred", "nrm_referral_date", "referral_nation", "data_confidence"),
    ),
    "EXPL": (
        *("case_id", "exploitation_type", "is_primary", "start_date"),
        *("uk_entry_date", "uk_entry_route"),
    ),
    "DECN": (
        *("case_id", "decision_type", "decision_date", "decision_outcome", "decision_body"),
        *("is_reconsideration", "reconsiders_id"),
    ),
    "MISS": ("case_id", "start_date", "end_date"),
    "GUAR": ("case_id", "guardian_service"),
    "CARE": (
        *("case_id", "spell_type", "care_status", "placement_type", "cin_factors"),
        *("start_date", "end_date"),
    ),
    "JUST": (
        *("case_id", "investigation_ref", "subject_role", "subject_ref", "event_type"),
        *("event_date", "court_outcome", "s45_defence"),
    ),
    "ACTV": ("measure", "period_start", "period_end", "area", *BREAKDOWNS, "count", "count_status"),
    "NARR": ("case_id", "attachment_name", "attachment_sha256", "attachment_media_type"),
}


TokenKey = tuple[str, int]
"""The column of a linkage token and its first 64 bits."""

AcceptedByFile = Mapping[str, AcceptedRows]
"""The rows that are accepted so far, by the address of their file or sheet."""


def looked_at(record_type: str) -> tuple[str, ...]:
    """Return the columns that rules between rows look at."""
    return (*_ALWAYS, *_LOOKED_AT[record_type])


def token_keys(record: Mapping[str, Any]) -> list[TokenKey]:
    """Return what is remembered of the linkage tokens of a case."""
    given = ((column, record[column]) for column in SHARED)
    return [(column, int(token[:16], 16)) for column, token in given if token is not None]


class CrossRecord:
    """Sees every row of a package, then says what does not fit together."""

    def __init__(self, ctx: RecordContext, history: History, scan: Scan) -> None:
        self._ctx = ctx
        self._history = history
        self._scan = scan
        self._held = Held(history, replacing=ctx.manifest.replaces)
        self._families: defaultdict[str, Family] = defaultdict(Family)
        self._cases: set[str] = set()
        self._courses: defaultdict[tuple[str, str], Course] = defaultdict(Course)
        self._sharers: dict[tuple[str, int], Sharers] = {}
        self._activity = Activity(known_totals=history.totals)
        self._documents: list[Member] = []
        self._named_by_broken: set[str] = set()
        self._members: dict[str, list[Member]] = defaultdict(list)
        self._broken_cases: dict[str, object] = {}
        self._broken_investigations: set[str] = set()
        self._links = Links(ctx, history)
        self._in_doubt = False
        self._in_doubt_of: set[str] = set()

    def see(self, record_type: str, place: Place, record: Mapping[str, Any]) -> None:
        """Remember a row whose fields are valid."""
        columns = looked_at(record_type)
        member = Member(place, {column: record[column] for column in columns})
        is_case = record_type == "CASE" and record["record_action"] != "DELETE"
        if is_case:
            self._links.see(member, record)
        self._take(record_type, member, token_keys(record) if is_case else ())

    def new_records(self, record_type: str, accepted: AcceptedByFile) -> Iterator[str]:
        """Yield the id of each row that is accepted as new."""
        for place, record in self._members[record_type]:
            if record["record_action"] == "NEW" and accepted[place.file].stands(place.row):
                yield record["record_id"]

    def attachments(self, accepted: AcceptedByFile) -> frozenset[str]:
        """The attachments that accepted rows bring with them."""
        return frozenset(
            attachment_name(record)
            for place, record in self._documents
            if accepted[place.file].stands(place.row)
        )

    def _take(self, record_type: str, member: Member, keys: Sequence[TokenKey]) -> None:
        """Put a row with the others that it belongs to."""
        self._members[record_type].append(member)
        if member.record["record_action"] == "DELETE":
            return
        if record_type == "CASE":
            self._take_case(member, keys)
        elif record_type == "ACTV":
            self._activity.counts.append(member)
        else:
            self._take_event(record_type, member)

    def see_broken(self, record_type: str, place: Place, cells: Mapping[str, object]) -> None:
        """Remember that there is a row, though its values cannot be trusted."""
        del place  # which row it is does not matter: the whole family is in doubt
        self._doubt(record_type, cells)
        self._take_broken(record_type, cells)

    def _doubt(self, record_type: str, cells: Mapping[str, object]) -> None:
        """Remember what cannot be said to be absent, for it may stand in a broken row."""
        if record_type == "CASE":
            self._activity.misses_cases = True
        if record_type == "ACTV":
            self._activity.misses_counts = True
        if record_type == "JUST":
            reference = str(cells.get("investigation_ref") or _ANY)
            self._broken_investigations.add(reference if len(reference) <= _LONGEST else _ANY)
        if cells.get("attachment_name") and is_package_name(name := attachment_name(cells)):
            self._named_by_broken.add(name)

    def _take_broken(self, record_type: str, cells: Mapping[str, object]) -> None:
        """Remember what a broken row is about."""
        case_id = cells.get("record_id" if record_type == "CASE" else "case_id")
        # What no record can have as its id names no family, and nobody is asked about it.
        if not isinstance(case_id, str) or not is_record_id(case_id):
            return
        if record_type == "CASE":
            self._cases.add(case_id)
            action = str(cells.get("record_action"))
            self._broken_cases[case_id] = action[:_LONGEST]
        self._in_doubt_of.add(case_id)

    def see_unread(self) -> None:
        """Remember that rows were not read at all: any case may be without some of its own."""
        self._in_doubt = True
        self._broken_investigations.add(_ANY)
        self._activity.misses_cases = self._activity.misses_counts = True

    def findings(self, package: Package) -> Iterator[tuple[Place | None, Finding]]:
        """Yield what does not fit, with the row that it is about."""
        for case_id, each in self._families.items():
            each.broken = self._in_doubt or case_id in self._in_doubt_of
        yield from self._unheld()
        yield from self._apply(FAMILY_RULES, self._families.values())
        yield from self._apply(child.RULES, self._children())
        yield from self._apply(tokens.RULES, self._sharers.values())
        yield from self._apply(investigation.RULES, self._whole_courses())
        yield from self._apply(ACTIVITY_RULES, [self._activity])
        yield from self._unfit_documents(package)

    def caseless(self) -> Iterator[Place]:
        """Yield the rows about a case that did not come, where nobody knows what is held.

        None where rows were not read, as the case may be one of them.
        """
        if self._held.is_known or self._in_doubt:
            return
        about_cases = (rows for record_type, rows in self._sent() if record_type != "CASE")
        for place, _, _, case_id in chain.from_iterable(about_cases):
            if case_id is not None and case_id not in self._cases:
                yield place

    def linked(self) -> Iterator[tuple[Place, Finding]]:
        """Yield what does not fit with other agencies' cases, with the row that it is about."""
        return self._links.findings()

    def stranded(self, accepted: AcceptedByFile) -> Iterator[tuple[Place, Finding]]:
        """Yield the accepted rows about a case that is not: no record stays without its case.

        Asked last, once it is known which cases go back. A case that is held stays as it was.
        """
        returned = chain(self._broken_cases.items(), self._withdrawn_cases(accepted))
        gone = self._held.gone(returned)
        for record_type, rows in self._sent(gone) if gone else ():
            about = (each for each in rows if record_type != "CASE" and each.case_id in gone)
            for place, _, _, case_id in about:
                if case_id is not None and accepted[place.file].stands(place.row):
                    yield place, gone_with_its_case(place, case_id)

    def _withdrawn_cases(self, accepted: AcceptedByFile) -> Iterator[tuple[str, str]]:
        """The ids of the cases that a rule objected to, each with what was to be done with it."""
        for place, record in self._members["CASE"]:
            if not accepted[place.file].stands(place.row):
                yield record["record_id"], record["record_action"]

    def _take_case(self, member: Member, keys: Sequence[TokenKey]) -> None:
        record_id = member.record["record_id"]
        self._cases.add(record_id)
        self._families[record_id].case = member
        self._activity.has_cases = True
        if member.record["nrm_referral_date"] is not None:
            self._activity.referrals.append(member.record["nrm_referral_date"])
        for key in keys:
            self._sharers.setdefault(key, Sharers(key[0])).cases.append(member)

    def _take_event(self, record_type: str, member: Member) -> None:
        record = member.record
        if record["case_id"] is not None:
            rows = self._families[record["case_id"]].rows
            rows.setdefault(record_type, []).append(member)
        if record_type == "JUST":
            key = record["investigation_ref"], record["subject_ref"] or ""
            self._courses[key].events.append(member)
        if record_type == "NARR" and record["attachment_name"] is not None:
            self._documents.append(member)

    def _children(self) -> Iterable[Child]:
        children: defaultdict[str, Child] = defaultdict(Child)
        for case_id, each in self._families.items():
            known = each.case and each.case.record["person_ref"]
            one = children[f"person {known}" if known else f"case {case_id}"]
            one.cases += [each.case] if each.case else []
            one.episodes += each.of("MISS")
            one.spells += each.of("CARE")
        return children.values()

    def _whole_courses(self) -> Iterator[Course]:
        """The courses, each with the crimes of its investigation that name nobody."""
        for (reference, subject), course in self._courses.items():
            nobody = self._courses.get((reference, "")) if subject else None
            crimes = [] if nobody is None else nobody.of("CRIME_RECORDED")
            broken = not self._broken_investigations.isdisjoint({reference, _ANY})
            yield Course(course.events + crimes, broken)

    def _unheld(self) -> Iterator[tuple[Place | None, Finding]]:
        if self._held.is_known:
            for record_type, rows in self._sent():
                yield from self._held.misfits(record_type, rows, cases=self._cases)

    def _sent(self, cases: Collection[str] | None = None) -> Iterator[tuple[str, Iterator[Sent]]]:
        """Every row that was seen, by record type; of `cases` only, where that is less work."""
        del cases  # here it is not
        for record_type, members in self._members.items():
            yield record_type, map(sent, members)

    def _unfit_documents(self, package: Package) -> Iterator[tuple[Place | None, Finding]]:
        named = set(self._named_by_broken)
        for place, record in self._documents:
            named.add(name := attachment_name(record))
            fault = attachment_fault(package, record, scan=self._scan)
            if fault is not None:
                values = {"name": name, "detail": fault}
                yield place, finding_at("CT-100", place, "attachment_name", values)
        for name in package.attachments:
            if name not in named:
                yield None, finding("CT-100", file=name, name=name, detail=_UNNAMED)

    def _apply(
        self, rules: Sequence[GroupRule[Group]], groups: Iterable[Group]
    ) -> Iterator[tuple[Place | None, Finding]]:
        for group in groups:
            for rule in rules:
                for each in rule.check(group, self._ctx):
                    yield _found(rule.code, each)


def _found(code: str, each: Misfit) -> tuple[Place | None, Finding]:
    if each.member is None:
        return None, finding(code, file=each.file, row=None, column=each.column, **each.values)
    place = each.member.place
    return place, finding_at(code, place, each.column, each.values)
