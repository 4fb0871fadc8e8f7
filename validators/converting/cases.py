"""A child whom an export knows, made into a CASE and its EXPL, without who the child is.

What is laid down here is how an answer reads that nobody has: NCL where the export has no such
field and the list takes it, else UNK, never a guess. Names, numbers and dates of birth pass through
`validators.linkage` and nowhere else. Ids follow from the agency's salt and the child's number, so
that the same child has the same ones in every quarter.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date

from validators.converting.children import Child, Children
from validators.converting.made import Conversion, MadeRow, Notes, additions
from validators.converting.problems import Place, Problems
from validators.converting.sender import Sender
from validators.converting.sent import Sent, settled
from validators.linkage import Export, Pseudonymised, record_id
from validators.rules.dates import completed_years

# Not NCL for a nationality: in a list of countries that is New Caledonia.
_CASE_UNKNOWN = {
    "birth_date_status": "NCL",
    "age_dispute_status": "NCL",
    "sex": "U",
    "ethnicity": "NOBT",
    "nationality_1": "UNK",
    "immigration_status": "NCL",
    "uasc": "NCL",
    "identification_route": "UNK",
    "nrm_referred": "UNK",
    "re_trafficking": "NCL",
    "safeguarding_response": "UNK",
    "data_confidence": "SUSPECTED",
}
_EXPL_UNKNOWN = {
    "exploitation_type": "UNK",
    "county_lines": "NCL",
    "online_element": "NCL",
    "location_category": "UNK",
    "movement_type": "UNK",
}
_IDENTITY = ("local_id", "forename", "surname", "date_of_birth", "upn", "nrm_reference")
_BRITISH_OR_IRISH = frozenset({"GBR", "IRL"})
_ADULT, _OLDEST = 18, 25


@dataclass(frozen=True, slots=True, repr=False)
class Seen:
    """What an export knows of one child. Not shown by repr: it holds who the child is.

    `identity` has the columns of `linkage.Sources` other than number, birth and sex; `case` and
    each of `situations` have columns of CASE and EXPL, the first situation being the primary one.
    """

    place: Place
    local_id: str
    born: date | None
    identity: Mapping[str, str]
    case: Mapping[str, str]
    situations: Sequence[Mapping[str, str]] = ({},)


@dataclass(frozen=True, slots=True)
class Event:
    """A record about a child besides its case: what the export says, and what it leaves open.

    `told_apart_by` tells it from the other records of its type about the child, for good.
    """

    record_type: str
    told_apart_by: Sequence[str]
    known: Mapping[str, str]
    unknown: Mapping[str, str]
    place: Place


@dataclass
class Cases:
    """Collects the records of one conversion.

    `children` is the agency's own list, by the export's numbers; `sent` is what it sent before.
    """

    sender: Sender
    children: Children
    sent: Sent
    problems: Problems
    notes: Notes
    rows: dict[str, list[MadeRow]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        case = self.sender.standard.records["CASE"]
        self._export = Export(
            (*case.header, *_IDENTITY, "ho_reference"),
            case,
            key=self.sender.key,
            salt=self.sender.salt,
            scheme=self.sender.scheme,
        )

    def add(self, seen: Seen) -> date | None:
        """Add the case and its situations; return the day of suspicion.

        None where there is no case, with a note or a problem.
        """
        child = self.children.get(seen.local_id)
        given = {**seen.case, **(child.case if child else {})}
        age = self._age(seen, given)
        if age is None:
            return None
        known = {**self._of_agency(), **given, **age}
        turned = self._turned(seen, child, {**_unknown(known), **known})
        if turned is None:
            return None
        if turned["link_absent_reason"]:
            self.notes.passed_over["Cases without a linkage token"] += 1
        told = (known.keys() & turned.keys()) | _linkage(turned)
        self._append("CASE", seen.local_id, (), cells=turned, known=told, place=seen.place)
        for at, situation in enumerate(seen.situations):
            added = child.situation if child and at == 0 else {}
            self._add_situation(seen, situation, added, is_primary=at == 0, case=turned)
        return date.fromisoformat(given["identification_date"])

    def add_event(self, local_id: str, event: Event) -> None:
        """Add a record about a child whose case is in this return, or was sent before."""
        known = {**event.known, "case_id": self._case_id(local_id)}
        self._append(
            event.record_type,
            local_id,
            event.told_apart_by,
            cells={**event.unknown, **known},
            known=known.keys(),
            place=event.place,
        )

    def conversion(self) -> Conversion:
        """Return what was collected, as it is to be sent; raises SourceUnfit."""
        self.problems.require_none()
        records = settled(self.rows, self.sent, self.notes)
        return Conversion(records, additions(self.rows), self.notes.all())

    def _add_situation(
        self,
        seen: Seen,
        situation: Mapping[str, str],
        added: Mapping[str, str],
        *,
        is_primary: bool,
        case: Mapping[str, str],
    ) -> None:
        primary = {"is_primary": str(is_primary).lower()}
        known = {**situation, **added, **primary, "case_id": self._case_id(seen.local_id)}
        unknown = {**_EXPL_UNKNOWN, "certainty": case["data_confidence"]}
        # By the export's own words: the id stays when somebody adds to them.
        parts = [situation.get(name, "") for name in ("exploitation_type", "exploitation_subtype")]
        self._append(
            "EXPL",
            seen.local_id,
            parts,
            cells={**unknown, **known},
            known=known.keys(),
            place=seen.place,
        )

    def _append(
        self,
        kind: str,
        local_id: str,
        parts: Sequence[str],
        *,
        cells: Mapping[str, str],
        known: Set[str],
        place: Place,
    ) -> None:
        made = {"record_id": record_id(kind, local_id, *parts, salt=self.sender.salt)}
        made["record_action"] = "NEW"
        row = MadeRow({**cells, **made}, frozenset(known | made.keys()), place)
        self.rows.setdefault(kind, []).append(row)

    def _case_id(self, local_id: str) -> str:
        return record_id("CASE", local_id, salt=self.sender.salt)

    def _age(self, seen: Seen, given: Mapping[str, str]) -> dict[str, str] | None:
        """What is said of the age; None for who is no case of this return."""
        identified = given.get("identification_date")
        if identified is None:
            message = "the day on which trafficking was first suspected is not known"
            mend = "Give it as identification_date in the list of children (--children)."
            self.problems.add(seen.place, message, mend=mend, column="identification_date")
            return None
        if date.fromisoformat(identified) > self.sender.period[1]:
            self.notes.passed_over["Children identified after the quarter"] += 1
            return None
        if seen.born is None:
            return {"birth_date_status": "NOT_KNOWN"}
        referred = date.fromisoformat(given.get("nrm_referral_date") or identified)
        age = completed_years(seen.born, referred)
        return self._at_referral(age, _age_at_start(given), seen.place)

    def _at_referral(self, age: int, began: int | None, place: Place) -> dict[str, str] | None:
        if age < 0:
            message = "the child was born after trafficking was first suspected"
            self.problems.add(place, message, mend="Mend one of the two dates.")
        elif age >= _ADULT and (began is None or began >= _ADULT or age > _OLDEST):
            reason = "No children any more, and not known to have been exploited as one (CT-031)"
            self.notes.passed_over[reason] += 1
        elif began is not None and began > age:
            message = "exploitation began at an older age than the child had at referral"
            self.problems.add(place, message, mend="Mend that age or one of the dates.")
        else:
            return {"age_at_referral": str(age)}
        return None

    def _of_agency(self) -> dict[str, str]:
        sender = self.sender
        area = {"referral_la": sender.authority} if sender.authority else {}
        kind = sender.agency.agency_type
        return {"identifying_agency_type": kind, "referral_nation": sender.nation, **area}

    def _turned(
        self, seen: Seen, child: Child | None, cells: Mapping[str, str]
    ) -> dict[str, str] | None:
        """The cells with tokens in place of who the child is."""
        added = child.identity if child else {}
        identity = {**seen.identity, **{name: text for name, text in added.items() if text}}
        named = "forename" in identity or "surname" in identity
        row = {
            "link_absent_reason": "NO_IDENTITY" if named or seen.born is None else "NO_TOOL",
            **cells,
            **identity,
            "local_id": seen.local_id,
            "date_of_birth": "" if seen.born is None else seen.born.isoformat(),
        }
        turned = self._export.turn(row)
        if isinstance(turned, Pseudonymised):
            return dict(turned.cells)
        for each in turned:
            mend = f"{each.message[:1].upper()}{each.message[1:]}."
            place = child.place if child and added else seen.place
            self.problems.add(place, "it cannot be used", mend=mend, column=each.column)
        return None


def _linkage(columns: Iterable[str]) -> set[str]:
    """Those that stand or fall together: tokens of one year beside those of another say nothing."""
    made = {"person_ref", "link_scheme", "link_absent_reason", "clk", "birth_year_month"}
    return made | {name for name in columns if name.startswith("lt_")}


def _age_at_start(given: Mapping[str, str]) -> int | None:
    """The age at which exploitation began, where it is known."""
    began = given.get("age_at_exploitation_start", "")
    return int(began) if began.isdigit() else None


def _unknown(known: Mapping[str, str]) -> dict[str, str]:
    """What is said of what nobody knows, as far as it has to be said."""
    nationalities = {known.get("nationality_1"), known.get("nationality_2")}
    settled = "immigration_status" if nationalities & _BRITISH_OR_IRISH else None
    return {name: code for name, code in _CASE_UNKNOWN.items() if name != settled}
