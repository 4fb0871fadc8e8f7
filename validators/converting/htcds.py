"""Cases in the columns of IOM's Human Trafficking Case Data Standard, made into CASE and EXPL.

HTCDS 2.0 (<https://github.com/UNMigration/HTCDS>) names columns and values and leaves open how they
are put into a file: here it is CSV with one row a case, several values in one cell parted by
semicolons, commas or spaces. Values are those of the standard; labels and free text are not read.
What each becomes is laid down in `validators/data/ctds-*/mappings.csv` and here.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain

from validators.converting.cases import Cases, Seen
from validators.converting.children import fits, require_found
from validators.converting.made import Conversion
from validators.converting.nationalities import country, nationalities
from validators.converting.problems import Place, Problems
from validators.converting.sender import Sender
from validators.converting.tables import Source, SourceRow, SourceTable
from validators.linkage import day
from validators.linkage.days import HOW_TO_WRITE
from validators.standard import Standard

_FIRST, _MIDDLE, _SECOND = "prs_FirstName", "prs_MiddleName", "prs_SecondName"
_BORN, _GENDER, _CITIZEN = "prs_Birthdate", "prs_Gender", "prs_Citizenship"
_LANGUAGE, _AGE, _REFERRED = (
    "prs_PrimaryLanguage",
    "vic_AgeWhenTrafficked",
    "cas_IncomingReferralDate",
)
_STATUS, _DECIDED_BY = "vic_TraffickingStatus", "vic_TraffickingStatusDecisionMakingOrg"
_TYPE, _SEX_TYPE, _INDUSTRY = (
    "vic_TypeOfExploitation",
    "vic_TypeOfSexExploitation",
    "vic_ForcedLabourIndustry",
)
_CONTROL, _RECRUITED, _APPS = (
    "vic_MethodsOfControl",
    "vic_MethodOfRecruitment",
    "vic_RecruitmentWebsitesAndApps",
)
_KNOWN = (
    *(_FIRST, _MIDDLE, _SECOND, _BORN, _GENDER, _CITIZEN, _LANGUAGE, _AGE, _REFERRED),
    *(_STATUS, _DECIDED_BY, _TYPE, _SEX_TYPE, _INDUSTRY, _CONTROL, _RECRUITED, _APPS),
)
_GENDERS = {
    "Feminine": ("F", ""),
    "Female": ("F", ""),
    "Masculine": ("M", ""),
    "Male": ("M", ""),
    "TransgenderFeminine": ("U", "TRANS_GIRL"),
    "TransgenderMasculine": ("U", "TRANS_BOY"),
    "NonConforming": ("U", "NONBINARY"),
    "NonSpecifiedUnknown": ("U", ""),
    "Unknown": ("U", ""),
    "": ("U", ""),
}
_STATUSES = {
    "PossibleVictimOfTrafficking": "SUSPECTED",
    "ActualVictimOfTrafficking": "SUSPECTED",
    "NotAVictimOfTrafficking": "NOT_VICTIM",
}
_ADULT = 18
_COURT = "CourtOrProsecution"
_TYPES = {
    "ForcedLabour": "LAB",
    "ChildLabour": "LAB",
    "SexualExploitation": "SEX",
    "Servitude": "DOM",
    "OrganRemoval": "ORGAN",
    "ForcedMarriage": "MARR",
    "ForcedAdoption": "ADOPT",
    "ForcedBegging": "CRIM.BEGGING",
    "ForcedMilitaryByNonStateActors": "OTHER",
    "Surrogacy": "OTHER",
    "Other": "OTHER",
}
_SEX_TYPES = {
    "Prostitution": "SEX.PROST",
    "Pornography": "SEX.IMAGES",
    "RemoteInteractiveServices": "SEX.LIVE",
    "PrivateSexualServices": "SEX.OTHER",
}
_INDUSTRIES = {"A": "AGRI", "C": "FACTORY", "F": "CONSTR", "G": "RETAIL", "I": "HOSP"}
_AN_INDUSTRY = re.compile(r"([A-U])_[A-Za-z]+")
_RECRUITMENT = {
    "AtAPlaceOfBusiness": "OTHER",
    "AtAnEducationalInstitution": "SCHOOL",
    "AtWork": "WORK",
    "ThroughOnlineSocialNetworks": "SOCIAL",
    "ThroughAnOnlineAdvertisement": "ADVERT",
    "ThroughATelevisionAdvert": "ADVERT",
    "ThroughANewspaperAdvert": "ADVERT",
    "ThroughFamilyOrFamilyEvents": "FAMILY",
    "ThroughFriendsOrSocialEvents": "PEER",
    "Other": "OTHER",
}
# Values of HTCDS 1.0 that CL_MEANS does not name.
_FURTHER_CONTROL = {
    "Threats": "THREAT",
    "ThreatOfLawEnforcement": "THREAT_LAW",
    "PsychoactiveSubstances": "DRUGS",
    "RestrictsMovement": "MOVE",
    "UsesChildren": "OTHER",
}
_PARTED = re.compile(r"[;,\s]+")
_AS_HTCDS = "Write a value of HTCDS 2.0, as its letter and name: A_AgricultureForestryAndFishing."
_DAY = f"{HOW_TO_WRITE[:1].upper()}{HOW_TO_WRITE[1:]}."


class _Cells:
    """The cells of a row, read as what they mean; what they do not mean is a problem."""

    def __init__(self, row: SourceRow, problems: Problems) -> None:
        self.place, self.cells, self._problems = row.place, row.cells, problems

    def text(self, column: str) -> str:
        return self.cells.get(column, "")

    def values(self, column: str) -> list[str]:
        return [each for each in _PARTED.split(self.text(column)) if each]

    def fault(self, column: str, message: str, *, mend: str = _AS_HTCDS) -> None:
        self._problems.add(self.place, message, mend=mend, column=column)

    def codes(self, column: str, meanings: Mapping[str, str]) -> list[str]:
        found = {each: meanings.get(each) for each in self.values(column)}
        if None in found.values():
            self.fault(column, "it has a value that is not known", mend=_one_of(meanings))
        return list(dict.fromkeys(code for code in found.values() if code))

    def day(self, column: str) -> str:
        found = day(self.text(column))
        if found is None and self.text(column):
            self.fault(column, "it is not a date", mend=_DAY)
        return "" if found is None else found.isoformat()


def convert_htcds(source: Source, cases: Cases, *, number: str) -> Conversion:
    """Return the records about children; raises SourceUnfit.

    `number` is the column of the agency's own number of a person, for which HTCDS has no name.
    """
    problems = cases.problems
    table = SourceTable(source, problems, fold=_folded)
    known = (number, *_KNOWN)
    cases.notes.columns_left_out(table.name, table.unknown(known))
    found: dict[str, Place] = {}
    for row in table.rows(known, required=[number]):
        local_id = row.cells[number]
        if not local_id:
            problems.add(row.place, "it is blank", mend="Give your own number.", column=number)
        elif local_id in found:
            message = f"the person stands in row {found[local_id].row} too"
            problems.add(row.place, message, mend="Keep one row for each.", column=number)
        else:
            found[local_id] = row.place
            _add(local_id, _Cells(row, problems), cases)
    require_found(cases.children, found, problems, number=number)
    return cases.conversion()


def _one_of(values: Iterable[str]) -> str:
    return f"Write a value of HTCDS 2.0: {', '.join(values)}."


def _add(local_id: str, cells: _Cells, cases: Cases) -> None:
    is_listed, age = local_id in cases.children, cells.text(_AGE)
    if not is_listed and age.isascii() and age.isdigit() and len(age) < 4 and int(age) >= _ADULT:
        cases.notes.passed_over["Adults when they were trafficked"] += 1
        return
    before = cases.problems.count
    case = _case(cells, cases.sender)
    situations = _situations(cells, cases.sender.standard)
    born = day(cells.day(_BORN))
    began = case.get("age_at_exploitation_start", "")
    if cases.problems.count > before:
        return
    if born is None and not is_listed and not (began and int(began) < _ADULT):
        reason = "Rows without an age: list those who are children with --children"
        cases.notes.passed_over[reason] += 1
        return
    forenames = f"{cells.text(_FIRST)} {cells.text(_MIDDLE)}".strip()
    names = {"forename": forenames, "surname": cells.text(_SECOND)}
    identity = {name: text for name, text in names.items() if text}
    cases.add(Seen(cells.place, local_id, born, identity, case, situations))


def _case(cells: _Cells, sender: Sender) -> dict[str, str]:
    gender = _GENDERS.get(cells.text(_GENDER))
    if gender is None:
        cells.fault(_GENDER, "it is not known", mend=_one_of(filter(None, _GENDERS)))
    sex, identity = gender or ("U", "")
    citizen = _citizenships(cells.text(_CITIZEN), sender.standard)
    if None in citizen or len(citizen) > 2:
        mend = "Write one or two country codes of ISO 3166, parted by a semicolon."
        cells.fault(_CITIZEN, "it is no country code", mend=mend)
    nationalities = dict(zip(("nationality_1", "nationality_2"), citizen, strict=False))
    case = {
        "sex": sex,
        "gender_identity": identity,
        **{name: code or "" for name, code in nationalities.items()},
        "identification_date": cells.day(_REFERRED),
        "data_confidence": _confidence(cells),
    }
    for column, name in ((_LANGUAGE, "primary_language"), (_AGE, "age_at_exploitation_start")):
        text = cells.text(column)
        if text and not fits("CASE", name, text, sender):
            cells.fault(column, "it is not taken", mend=_MENDS[name])
        elif text:
            case[name] = text
    return {name: text for name, text in case.items() if text}


def _citizenships(text: str, standard: Standard) -> list[str | None]:
    """A code for each citizenship, None for what is none.

    Read whole if that is a country: a name may have commas and spaces itself ("Viet Nam").
    """
    whole = country(text, standard)
    if whole is not None:
        return [whole]
    mark = next((each for each in ";," if each in text), None)
    if mark is None and (both := nationalities(text, standard)):
        return [*both]
    if mark is None:
        return [country(each, standard) for each in dict.fromkeys(text.split())]
    parts = filter(None, map(str.strip, text.split(mark)))
    return list(dict.fromkeys(chain.from_iterable(_citizenships(each, standard) for each in parts)))


_MENDS = {
    "primary_language": "Write the three letters of ISO 639-3, such as sqi.",
    "age_at_exploitation_start": "Write whole years, or leave it blank.",
}


def _confidence(cells: _Cells) -> str:
    """Confirmed by a court alone: whoever else decided is not who decides in the UK."""
    status = cells.text(_STATUS)
    if not status:
        return ""
    if status not in _STATUSES:
        cells.fault(_STATUS, "it is not known", mend=_one_of(_STATUSES))
    decided = status.startswith("Actual") and cells.text(_DECIDED_BY) == _COURT
    return "CONFIRMED" if decided else _STATUSES.get(status, "")


def _situations(cells: _Cells, standard: Standard) -> list[dict[str, str]]:
    """A situation for each type, the first with what is said of all of them together."""
    kinds = cells.codes(_TYPE, _TYPES)
    subtypes = {"SEX": cells.codes(_SEX_TYPE, _SEX_TYPES), "LAB": _industries(cells)}
    means = cells.codes(_CONTROL, _means(standard))
    recruited = cells.codes(_RECRUITED, _RECRUITMENT)
    shared = {
        "means": ";".join(means),
        "recruitment_method": ";".join(recruited),
        "online_element": "YES" if cells.text(_APPS) or "SOCIAL" in recruited else "",
    }
    made = [_situation(kind, subtypes) for kind in kinds] or [{}]
    made[0] |= {name: text for name, text in shared.items() if text}
    return made


def _situation(kind: str, subtypes: Mapping[str, list[str]]) -> dict[str, str]:
    parent = kind.partition(".")[0]
    found = [kind] if "." in kind else subtypes.get(kind, [])
    # A situation has one subtype; which of several it is cannot be known.
    subtype = {"exploitation_subtype": found[0]} if len(found) == 1 else {}
    return {"exploitation_type": parent, **subtype}


def _industries(cells: _Cells) -> list[str]:
    found = [_AN_INDUSTRY.fullmatch(each) for each in cells.values(_INDUSTRY)]
    if None in found:
        cells.fault(_INDUSTRY, "it has a value that is not known")
    letters = [each[1] for each in found if each]
    return list(dict.fromkeys(f"LAB.{_INDUSTRIES.get(letter, 'OTHER')}" for letter in letters))


@cache
def _means(standard: Standard) -> Mapping[str, str]:
    """Codes by their names in HTCDS; of several that are Other there, it is the list's own."""
    rows = standard.codelists["CL_MEANS"].rows
    return {row["map1"]: row["code"] for row in rows} | _FURTHER_CONTROL


def _folded(name: str) -> str:
    """Without underscores: the toolkits of HTCDS write vic_Methods_of_Control as well."""
    return name.replace("_", "").replace(" ", "").casefold()
