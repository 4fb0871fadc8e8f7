"""Whose children are converted, for which quarter, and under which keys."""

from dataclasses import dataclass
from datetime import date

from validators.areas import nation_of, own_area
from validators.profile import Period
from validators.standard import Agency, Standard


@dataclass(frozen=True, slots=True, repr=False)
class Sender:
    """The agency and its return. The linkage key and the salt are not shown by repr.

    `scheme` names the key's year, such as CTL1-2026.
    """

    standard: Standard
    agency: Agency
    period: Period
    today: date
    key: bytes
    salt: bytes
    scheme: str

    @property
    def authority(self) -> str:
        """The code of the local authority that the agency is, or "" for another agency."""
        area = own_area(self.agency)
        return area if area in self.standard.codelists["CL_LA"].items else ""

    @property
    def nation(self) -> str:
        """The code of the nation that all of the agency's area lies in, or UNK."""
        return nation_of(self.agency.area, self.standard) or "UNK"

    def tells_of(self, start: date, end: date | None, *, since: date) -> bool:
        """Tell whether what began and ended on these days belongs into the return.

        It does from the quarter's first day on, or from an earlier day of suspicion: what was
        written down late, or has ended since it was sent, would never be told otherwise.
        """
        first, last = self.period
        return start <= last and (end is None or end >= min(first, since))
