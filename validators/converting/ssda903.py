"""The SSDA903 return on looked-after children, made into CASE, EXPL, CARE and MISS.

CTDS section 9.3. The return is several CSV files, told apart by their columns: Header, Episodes,
Missing and UASC are used. It does not say who is suspected of having been trafficked: the agency's
list of children does, and nobody else is read further than the number.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from validators.converting.cases import Cases, Event, Seen
from validators.converting.children import fits, require_found
from validators.converting.made import Conversion, Notes
from validators.converting.problems import Place, Problems
from validators.converting.spells import Spell, joined, overlapping
from validators.converting.tables import Source, SourceRow, SourceTable
from validators.linkage import day
from validators.linkage.days import HOW_TO_WRITE

NUMBER = "CHILD"
_HEADER = (NUMBER, "SEX", "DOB", "ETHNIC", "UPN")
_EPISODES = (NUMBER, "DECOM", "RNE", "LS", "PLACE", "DEC", "PL_LOCATION")
_MISSING = (NUMBER, "MISSING", "MIS_START", "MIS_END")
_UASC = (NUMBER, "DUC")
_TOLD_BY = {"Header": "ETHNIC", "Episodes": "DECOM", "Missing": "MIS_START", "UASC": "DUC"}
_OPTIONAL = frozenset({"RNE", "DEC", "PL_LOCATION", "UPN", "MIS_END", "DUC"})
_SEXES = {"1": "M", "2": "F", "M": "M", "F": "F", "0": "U", "9": "U", "U": "U", "": "U"}
_PLACEMENTS = {
    "K1": "SECURE",
    "R5": "SECURE",
    "K2": "RES",
    "H5": "SUPPORTED",
    "P1": "PARENTS",
    "P2": "INDEP",
}
_OUT_OF_AREA = {"OUT": "YES", "IN": "NO"}
# A new episode for these reasons leaves the child where it is: legal status, carer, or both.
_SAME_PLACEMENT = frozenset({"L", "U", "B"})
_STARTED = "S"
_AS_903 = "Write it as the SSDA903 guide has it."
_DAY = f"{HOW_TO_WRITE[:1].upper()}{HOW_TO_WRITE[1:]}."


@dataclass
class _Looked:
    """What the files say of one child of the list."""

    header: SourceRow | None = None
    legal: list[Spell] = field(default_factory=list)
    placed: list[Spell] = field(default_factory=list)
    missing: list[Spell] = field(default_factory=list)
    began: list[date] = field(default_factory=list)


class _Return:
    """The files of one return, by what they are."""

    def __init__(self, sources: Sequence[Source], problems: Problems, notes: Notes) -> None:
        self.tables: dict[str, SourceTable] = {}
        for source in sources:
            table = SourceTable(source, problems)
            names = {name.upper() for name in table.header}
            kind = next((kind for kind, column in _TOLD_BY.items() if column in names), None)
            if kind is None:
                notes.sentences.append(f"{table.name} is not needed")
            elif kind in self.tables:
                message = f"it is a second file of the kind {kind}"
                problems.add(Place(table.name), message, mend="Give one file of each kind.")
            else:
                self.tables[kind] = table
        if "Header" not in self.tables:
            message = "the file with CHILD, SEX, DOB and ETHNIC is not among those given"
            problems.add(Place("Header"), message, mend="Give the Header file as well.")
        problems.require_none()

    def rows(self, kind: str, columns: Sequence[str]) -> Iterator[SourceRow]:
        """The rows of a file, if it was given."""
        if kind in self.tables:
            required = [name for name in columns if name not in _OPTIONAL]
            yield from self.tables[kind].rows(columns, required=required)


def convert_ssda903(sources: Sequence[Source], cases: Cases) -> Conversion:
    """Return the records about the listed children; raises SourceUnfit."""
    problems = cases.problems
    given = _Return(sources, problems, cases.notes)
    looked: dict[str, _Looked] = {number: _Looked() for number in cases.children}
    listed = (row.cells[NUMBER] for row in given.rows("UASC", _UASC))
    unaccompanied = {number for number in listed if number in looked}
    _read_header(given, looked, problems)
    _read_episodes(given, looked, problems)
    _read_missing(given, looked, problems)
    found = {number for number, each in looked.items() if each.header is not None}
    require_found(cases.children, found, problems, number=NUMBER)
    for number, each in looked.items():
        answer = "YES" if number in unaccompanied else "NO"
        _add(number, each, {"uasc": answer} if "UASC" in given.tables else {}, cases)
    return cases.conversion()


def _read_header(given: _Return, looked: Mapping[str, _Looked], problems: Problems) -> None:
    for row in given.rows("Header", _HEADER):
        child = looked.get(row.cells[NUMBER])
        if child is None:
            continue
        if child.header is not None and child.header.cells != row.cells:
            message = f"the child stands in row {child.header.place.row} too, and otherwise"
            problems.add(row.place, message, mend="Keep one row for each child.", column=NUMBER)
        child.header = row


def _read_episodes(given: _Return, looked: Mapping[str, _Looked], problems: Problems) -> None:
    for row in given.rows("Episodes", _EPISODES):
        child = looked.get(row.cells[NUMBER])
        dates = None if child is None else _dates(row, "DECOM", "DEC", problems)
        if child is None or dates is None:
            continue
        cells, (start, end) = row.cells, dates
        placement = _placement(row, problems)
        reason = cells.get("RNE", "").upper()
        moved = bool(reason) and reason not in _SAME_PLACEMENT
        away = _OUT_OF_AREA.get(cells.get("PL_LOCATION", "").upper(), "")
        child.legal.append(Spell(cells["LS"].upper(), start, end, row.place))
        child.placed.append(Spell(placement, start, end, row.place, moved or not reason, away))
        if reason == _STARTED:
            child.began.append(start)


def _read_missing(given: _Return, looked: Mapping[str, _Looked], problems: Problems) -> None:
    for row in given.rows("Missing", _MISSING):
        child = looked.get(row.cells[NUMBER])
        dates = None if child is None else _dates(row, "MIS_START", "MIS_END", problems)
        if child is not None and dates is not None:
            spell = Spell(row.cells["MISSING"].upper(), *dates, row.place)
            if spell.state not in {"M", "A"}:
                problems.add(row.place, "it is neither M nor A", mend=_AS_903, column="MISSING")
            child.missing.append(spell)


def _dates(
    row: SourceRow, first: str, last: str, problems: Problems
) -> tuple[date, date | None] | None:
    start, end = day(row.cells[first]), day(row.cells.get(last, ""))
    if start is None:
        problems.add(row.place, "it is not a date", mend=_DAY, column=first)
    if end is None and row.cells.get(last):
        problems.add(row.place, "it is not a date", mend=_DAY, column=last)
        return None
    if start is not None and end is not None and end < start:
        message = f"it is before {first}"
        problems.add(row.place, message, mend="Mend one of the two dates.", column=last)
    return None if start is None else (start, end)


def _placement(row: SourceRow, problems: Problems) -> str:
    code = row.cells["PLACE"].upper()
    if len(code) != 2 or not (code[0].isalpha() and code[1].isdigit()):
        problems.add(row.place, "it is not a placement code", mend=_AS_903, column="PLACE")
    return "FOSTER" if code[:1] == "U" else _PLACEMENTS.get(code, "OTHER")


def _add(number: str, looked: _Looked, known: Mapping[str, str], cases: Cases) -> None:
    header, sender = looked.header, cases.sender
    if header is None:
        return
    fault = cases.problems.adding(header.place)
    born = day(header.cells["DOB"])
    if born is None:
        fault("DOB", "it is not a date", mend=_DAY)
    sex = _SEXES.get(header.cells["SEX"].upper())
    if sex is None:
        fault("SEX", "it is not known", mend=_AS_903)
    ethnicity = header.cells["ETHNIC"].upper() or "NOBT"
    if not fits("CASE", "ethnicity", ethnicity, sender):
        fault("ETHNIC", "it is not known", mend=_AS_903)
    case = {**known, "sex": sex or "U", "ethnicity": ethnicity}
    if looked.legal:
        case["safeguarding_response"] = "LAC"
    upn = {"upn": header.cells.get("UPN", "")}
    if born is None:
        return
    since = cases.add(Seen(header.place, number, born, upn, case))
    if since is not None:
        for event in _events(looked, cases, since, born):
            cases.add_event(number, event)


def _events(looked: _Looked, cases: Cases, since: date, born: date) -> Iterator[Event]:
    sender, problems = cases.sender, cases.problems
    area = {"responsible_la": sender.authority} if sender.authority else {}
    legal, placed, missing = (
        [each for each in spells if sender.tells_of(each.start, each.end, since=since)]
        for spells in (joined(looked.legal), joined(looked.placed), looked.missing)
    )
    _require_apart((legal, placed), problems, began="DECOM")
    _require_apart((missing,), problems, began="MIS_START")
    for spell in legal:
        if not (spell.state and fits("CARE", "care_status", spell.state, sender)):
            problems.add(spell.place, "it is not known", mend=_AS_903, column="LS")
        known = {"spell_type": "LEGAL_STATUS", "care_status": spell.state, **_days(spell), **area}
        yield Event("CARE", _told_apart_by(known), known, {}, spell.place)
    for spell in placed:
        known = {"spell_type": "PLACEMENT", "placement_type": spell.state, **_days(spell), **area}
        if spell.detail:
            known["placed_out_of_area"] = spell.detail
        open_ = {"placed_out_of_area": "NCL", "placed_in_hotel": "NCL"}
        yield Event("CARE", _told_apart_by(known), known, open_, spell.place)
    yield from _missing(missing, looked.began, cases.notes, adult=_month_of_18th_birthday(born))


def _told_apart_by(known: Mapping[str, str]) -> tuple[str, ...]:
    return known["spell_type"], known["start_date"]


def _require_apart(kinds: Iterable[Sequence[Spell]], problems: Problems, *, began: str) -> None:
    """Note each row that is about two states of one child at a time (CT-068, CT-077)."""
    clashes = {after.place: before.place for kind in kinds for before, after in overlapping(kind)}
    for after, before in clashes.items():
        message = f"the one in row {before.row} began on that day too, or had not ended"
        mend = "Mend the dates, or keep one of the rows; of one day keep the last."
        problems.add(after, message, mend=mend, column=began)


def _missing(
    spells: Iterable[Spell], arrivals: Iterable[date], notes: Notes, *, adult: date
) -> Iterator[Event]:
    for spell in spells:
        if spell.start >= adult:
            reason = "Missing episodes from the month of the 18th birthday on (CT-069)"
            notes.passed_over[reason] += 1
            continue
        known = {"missing_type": spell.state, "missing_from": "CARE", **_days(spell)}
        arrived = max((began for began in arrivals if began <= spell.start), default=None)
        if arrived is not None:
            known["days_since_arrival_in_care"] = str((spell.start - arrived).days)
        ended = {"return_interview": "UNK", "found_in_exploitation": "NCL", "outcome": "UNK"}
        unknown = ended if spell.end else {"outcome": "STILL_MISSING"}
        yield Event("MISS", (known["start_date"],), known, unknown, spell.place)


def _month_of_18th_birthday(born: date) -> date:
    return date(born.year + 18, born.month, 1)


def _days(spell: Spell) -> dict[str, str]:
    end = "" if spell.end is None else spell.end.isoformat()
    return {"start_date": spell.start.isoformat(), "end_date": end}
