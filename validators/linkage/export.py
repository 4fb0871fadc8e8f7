"""An agency's export with names turned into CASE columns without them (CTDS section 6).

Only columns that CASE has go on; a column of another name may hold anything. What comes out has
every column of CASE, blank where nothing is known, and a record_id that stays the same. A row with
a fault gives problems that name its column and never its value, for they are shown on screens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date

from validators.linkage.days import HOW_TO_WRITE, day
from validators.linkage.names import NotRomanised
from validators.linkage.references import person_ref, record_id
from validators.linkage.tokens import Identity, linkage_fields
from validators.standard import RecordType

_STRONG = ("lt_name_dob", "lt_nrm", "lt_upn", "lt_ho_ref")
_SEXES = frozenset("FMIU")


@dataclass(frozen=True, slots=True)
class Sources:
    """The columns of the export that say who a child is."""

    local_id: str = "local_id"
    forenames: str = "forename"
    surname: str = "surname"
    born: str = "date_of_birth"
    sex: str = "sex"
    nrm_reference: str = "nrm_reference"
    upn: str = "upn"
    home_office_reference: str = "ho_reference"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one cell, without the cell."""

    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Pseudonymised:
    """A row as it may be sent; `tokens` are the linkage columns it was given."""

    cells: Mapping[str, str]
    tokens: tuple[str, ...]


class Export:
    """Turns the rows of one export, whose columns are known."""

    def __init__(
        self,
        header: Sequence[str],
        case: RecordType,
        *,
        key: bytes,
        salt: bytes,
        scheme: str,
        sources: Sources | None = None,
    ) -> None:
        self._sources = sources or Sources()
        self._key, self._salt, self._scheme = key, salt, scheme
        self.columns = list(case.header)
        used = {*self.columns, *astuple(self._sources)}
        self.left_out = [name for name in header if name not in used]
        self.missing = [name for name in (self._sources.local_id,) if name not in header]

    def turn(self, row: Mapping[str, str]) -> Pseudonymised | list[Problem]:
        """Return the row without names, or everything that is wrong with it."""
        names = self._sources
        problems = []
        born = day(row.get(names.born, ""))
        if born is None and row.get(names.born, "").strip():
            problems.append(Problem(names.born, HOW_TO_WRITE))
        sex = row.get(names.sex, "").strip() or "U"
        if sex not in _SEXES:
            problems.append(Problem(names.sex, "write F, M, I or U"))
        if not row.get(names.local_id, "").strip():
            problems.append(Problem(names.local_id, "give your own number of the child"))
        tokens: dict[str, str] = {}
        try:
            tokens = linkage_fields(self._identity(row, born, sex), key=self._key)
        except NotRomanised as refused:
            problems.append(Problem(f"{names.forenames} or {names.surname}", str(refused)))
        return problems or Pseudonymised(self._cells(row, tokens, born), tuple(tokens))

    def _identity(self, row: Mapping[str, str], born: date | None, sex: str) -> Identity:
        names = self._sources
        return Identity(
            row.get(names.forenames, ""),
            row.get(names.surname, ""),
            born,
            sex,
            row.get(names.nrm_reference, ""),
            row.get(names.upn, ""),
            row.get(names.home_office_reference, ""),
        )

    def _cells(
        self, row: Mapping[str, str], tokens: Mapping[str, str], born: date | None
    ) -> dict[str, str]:
        linked = any(name in tokens for name in _STRONG)
        reason = "" if linked else row.get("link_absent_reason", "") or "NO_IDENTITY"
        local_id = row[self._sources.local_id].strip()
        given = {name: row.get(name, "") for name in self.columns}
        made = {
            **given,
            "record_id": given["record_id"] or record_id("CASE", local_id, salt=self._salt),
            **{name: "" for name in self.columns if name.startswith("lt_") or name == "clk"},
            **tokens,
            "person_ref": person_ref(local_id, salt=self._salt),
            "link_scheme": self._scheme if linked else "NONE",
            "link_absent_reason": reason,
        }
        if born is not None:
            made["birth_year_month"] = born.isoformat()[:7]
        return {name: made[name] for name in self.columns}
