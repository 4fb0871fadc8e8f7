"""The Home Office's quarterly tables of referrals, and tables laid out like them, made into ACTV.

CTDS section 9.2. A row counts people by first responder, exploitation type, age at exploitation,
gender and nationality. Children are taken; adults, people of unknown age and totals of all ages are
passed over and counted, never dropped without a word. Rows that come to the same key are added up.
The table is public, or made of counts: no child is in it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from validators.areas import own_area
from validators.converting.activity import ACTUAL, TOTAL, Amount, Key, amount
from validators.converting.made import Conversion, Notes
from validators.converting.nationalities import UNKNOWN, nationalities
from validators.converting.problems import Place, Problems
from validators.converting.tables import Source, SourceRow, SourceTable
from validators.linkage import record_id
from validators.profile import Period
from validators.standard import Agency, Standard

_RESPONDER, _EXPLOITATION, _AGE = "First responder", "Exploitation type", "Age at exploitation"
_GENDER, _NATIONALITY, _PEOPLE, _QUARTER = "Gender", "Nationality", "People", "Quarter"
_REQUIRED = (_RESPONDER, _EXPLOITATION, _AGE, _GENDER, _NATIONALITY, _PEOPLE)
_KNOWN = (*_REQUIRED, _QUARTER, "First responder type")
_PUBLISHED_AS = {
    "HO-IE": "Home Office - Immigration Enforcement IE",
    "HO-BF": "Home Office - UK Border Force UKBF",
    "HO-UKVI": "Home Office - UK Visas and Immigration UKVI",
    "NCA": "National Crime Agency NCA",
    "NGO-TARA": "Trafficking Awareness Raising Alliance TARA",
}
_TYPES = {
    "criminal": "CRIM",
    "sexual": "SEX",
    "labour": "LAB",
    "domestic": "DOM",
    "domestic servitude": "DOM",
    "organ harvesting": "ORGAN",
    "other": "OTHER",
}
_SEXES = {
    "female": "F",
    "male": "M",
    "other": "I",
    "not recorded": "U",
    "unknown": "U",
    "not specified or unknown": "U",
    "total": TOTAL,
}
_UNSAID = frozenset({"not specified or unknown", "unknown", "not recorded"})
_CHILD, _NOT_CHILDREN = "child", ("adult", "total", "age not specified", "not ", "unknown")
_BETWEEN_TYPES = re.compile(r"\s*(?:,|&|\+|\band\b)\s*")
_QUARTERS = (
    re.compile(r"(?P<year>20[0-9]{2})[ _-]?q(?P<quarter>[1-4])", re.IGNORECASE),
    re.compile(r"q(?P<quarter>[1-4])[ _-]?(?P<year>20[0-9]{2})", re.IGNORECASE),
)
# Counts are nobody's secret: their ids need to differ, not to be beyond guessing.
_COUNTS = b"CTDS|ACTV"


@dataclass(frozen=True, slots=True)
class Counted:
    """Whose counts are taken from the table, and of which quarter.

    `responder` is the first responder as the table calls it; else the agency's name, or what the
    Home Office publishes it under.
    """

    standard: Standard
    agency: Agency
    period: Period
    responder: str | None = None

    @property
    def name(self) -> str:
        """The first responder's name in the table."""
        return self.responder or _PUBLISHED_AS.get(self.agency.agency_id, self.agency.name)


def convert_home_office(source: Source, counted: Counted) -> Conversion:
    """Return the agency's counts of one quarter as ACTV records; raises SourceUnfit."""
    problems, notes = Problems(), Notes()
    table = SourceTable(source, problems)
    notes.columns_left_out(table.name, table.unknown(_KNOWN))
    if _QUARTER not in table.columns(_KNOWN):
        notes.sentences.append("The table has no column Quarter: all of it was taken as the period")
    sums: dict[Key, Amount] = {}
    for row in _of_agency(table, counted, notes):
        read = _read(row, counted.standard, problems, notes)
        if read is not None:
            key, found = read
            sums[key] = sums[key] + found if key in sums else found
    _add_total(sums, Place(table.name), problems)
    problems.require_none()
    if not sums:
        notes.sentences.append(f"Nothing in the table is about {counted.name} in this quarter")
    return Conversion({"ACTV": _records(sums, counted)}, notes=notes.all())


def quarter_of(cell: str) -> tuple[int, int] | None:
    """Return year and quarter of "2022_q2", "Q2 2022" or "2022 Q2"; None for other texts."""
    found = next(filter(None, (each.fullmatch(cell) for each in _QUARTERS)), None)
    return None if found is None else (int(found["year"]), int(found["quarter"]))


def _of_agency(table: SourceTable, counted: Counted, notes: Notes) -> Iterator[SourceRow]:
    start = counted.period[0]
    wanted = (start.year, (start.month + 2) // 3)
    name = _plain(counted.name)
    for row in table.rows(_KNOWN, required=_REQUIRED):
        if _QUARTER in row.cells and quarter_of(row.cells[_QUARTER]) is None:
            yield row
        elif _QUARTER in row.cells and quarter_of(row.cells[_QUARTER]) != wanted:
            notes.passed_over["Rows of other quarters"] += 1
        elif _plain(row.cells[_RESPONDER]) != name:
            notes.passed_over["Rows of other first responders"] += 1
        else:
            yield row


def _read(
    row: SourceRow, standard: Standard, problems: Problems, notes: Notes
) -> tuple[Key, Amount] | None:
    """What a row counts and how many; None for who is no child, and for a row with a problem."""
    cells, before = row.cells, problems.count
    fault = problems.adding(row.place)
    if _QUARTER in cells and quarter_of(cells[_QUARTER]) is None:
        fault(_QUARTER, "it is not a quarter", mend="Write it as 2022 Q2.")
    age = _plain(cells[_AGE])
    if not age.startswith(_CHILD):
        if age.startswith(_NOT_CHILDREN):
            notes.passed_over[f"Rows that do not count children alone ({_AGE})"] += 1
            return None
        fault(_AGE, "it is not a group of ages that is known", mend="Write Child (17 or under).")
    types = _types(cells[_EXPLOITATION])
    if types is None:
        mend = f"Write {', '.join(word.capitalize() for word in _TYPES)}, joined by & or commas."
        fault(_EXPLOITATION, "it has a type that is not known", mend=mend)
    sex = _SEXES.get(_plain(cells[_GENDER]))
    if sex is None:
        fault(_GENDER, "it is not known", mend="Write Female, Male, Other or Not Recorded.")
    nationality = _nationality(cells[_NATIONALITY], standard)
    if nationality is None:
        mend = "Write the nationality or the country's name as gov.uk does, or Unknown."
        fault(_NATIONALITY, "the nationality is not known", mend=mend)
    people = amount(cells[_PEOPLE])
    if people is None:
        mend = "Write a whole number, or [c] where it is suppressed."
        fault(_PEOPLE, "it is not a count", mend=mend)
    if problems.count > before or not (types and sex and nationality and people):
        return None
    return Key("U18", sex, types, nationality), people


def _types(cell: str) -> str | None:
    text = _plain(cell)
    if text in _UNSAID:
        return UNKNOWN
    if text == "total":
        return TOTAL
    found = {_TYPES.get(each) for each in _BETWEEN_TYPES.split(text)}
    return None if None in found else "+".join(sorted(each for each in found if each))


def _nationality(cell: str, standard: Standard) -> str | None:
    """One code, as a count has one: of two nationalities the first that is known."""
    if _plain(cell) == "total":
        return TOTAL
    found = nationalities(cell, standard)
    if found is None:
        return None
    return next((code for code in found if code != UNKNOWN), UNKNOWN)


def _add_total(sums: dict[Key, Amount], place: Place, problems: Problems) -> None:
    """Put the whole beside its parts; the table's own, if it has one, must be their sum."""
    parts = [found for key, found in sums.items() if key.is_whole]
    added = reduce(add, parts) if parts else None
    own = sums.pop(Key("U18", TOTAL, TOTAL, TOTAL), None)
    if own is not None:
        _require_equal(own, added, place, problems)
        sums[Key(TOTAL, TOTAL, TOTAL, TOTAL)] = own
    elif added is not None and added.count is not None:
        sums[Key(TOTAL, TOTAL, TOTAL, TOTAL)] = added


def _require_equal(own: Amount, added: Amount | None, place: Place, problems: Problems) -> None:
    """Note where the table's total is not what its parts add up to, both being exact."""
    if added is not None and own.status == added.status == ACTUAL and own != added:
        message = f"its total is {own.count:,}, its parts add up to {added.count:,}"
        problems.add(place, message, mend="Look for rows that are missing or stand twice.")


def _records(sums: Mapping[Key, Amount], counted: Counted) -> Sequence[dict[str, str]]:
    return [_record(key, sums[key], counted) for key in sorted(sums)]


def _record(key: Key, found: Amount, counted: Counted) -> dict[str, str]:
    start, end = (day.isoformat() for day in counted.period)
    measure = "NRM_REFERRALS"
    told = (measure, start, end, *key)
    return {
        "record_id": record_id("ACTV", counted.agency.agency_id, *told, salt=_COUNTS),
        "record_action": "NEW",
        "measure": measure,
        "period_start": start,
        "period_end": end,
        "area": own_area(counted.agency),
        **key._asdict(),
        "county_lines": TOTAL,
        "count": "" if found.count is None else str(found.count),
        "count_status": found.status,
        "unit": "CHILDREN",
    }


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
