"""What is held from earlier submissions, asked about the rows of one package (CT-025, CT-026).

Owns what a record may do: only what is not held can be new, only what is held can be changed, and
no record stays without its case. Asks History a portion at a time, as a return may hold millions.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import NamedTuple, TypeVar
from uuid import UUID

from validators.findings import Finding
from validators.rules.group import Member, Place, finding_at
from validators.rules.submission import History

Item = TypeVar("Item")

_PORTION = 10_000
_OF_WHAT_IS_HELD = ("AMEND", "DELETE")
_WITH_ITS_CASE = (
    "its case goes back, so this record goes back with it, though nothing is wrong in its own row"
)


class Sent(NamedTuple):
    """What a row is, and what is to be done with it; `case_id` where it is about a case."""

    place: Place
    record_id: str
    action: str
    case_id: str | None


def sent(member: Member) -> Sent:
    """Return what this row is."""
    place, record = member
    return Sent(place, record["record_id"], record["record_action"], record.get("case_id"))


class Held:
    """The records of one agency that stand, apart from those of the submission to be replaced."""

    def __init__(self, history: History, *, replacing: UUID | None) -> None:
        self._history = history
        self._replacing = replacing

    @property
    def is_known(self) -> bool:
        """Whether anybody here knows what is held; an agency that checks offline does not."""
        return self._of("CASE", ()) is not None

    def misfits(
        self, record_type: str, rows: Iterable[Sent], *, cases: Collection[str]
    ) -> Iterator[tuple[Place, Finding]]:
        """Yield the rows that do not go with what is held; `cases` are those of the package."""
        for portion in _portions(rows):
            yield from self._impossible(record_type, portion)
            yield from self._caseless(portion, cases)

    def gone(self, returned: Iterable[tuple[str, object]]) -> set[str]:
        """Return which of the cases that go back, each with its action, are not held.

        Where nobody knows what is, whoever amends a case is taken at their word.
        """
        if self.is_known:
            return self._unheld(case_id for case_id, _ in returned)
        return {case_id for case_id, action in returned if action not in _OF_WHAT_IS_HELD}

    def _unheld(self, case_ids: Iterable[str]) -> set[str]:
        return {
            case_id
            for portion in _portions(case_ids)
            for case_id in set(portion).difference(self._of("CASE", portion) or ())
        }

    def _impossible(self, record_type: str, rows: list[Sent]) -> Iterator[tuple[Place, Finding]]:
        """CT-025: an id that is held of any type is not new; only what is held is changed."""
        new = [each.record_id for each in rows if each.action == "NEW"]
        taken = self._of(None, new) or ()
        other = [each.record_id for each in rows if each.action != "NEW"]
        held = self._of(record_type, other) or ()
        for place, record_id, action, _ in rows:
            is_held = record_id in (taken if action == "NEW" else held)
            if is_held == (action == "NEW"):
                reason = "it was sent before" if is_held else "it was never sent"
                values = {"action": action, "value": record_id, "reason": reason}
                yield place, finding_at("CT-025", place, "record_action", values)

    def _caseless(
        self, rows: list[Sent], cases: Collection[str]
    ) -> Iterator[tuple[Place, Finding]]:
        """CT-026: the case is in this package, or is held from an earlier one."""
        about = (each.case_id for each in rows if each.case_id is not None)
        missing = self._unheld(case_id for case_id in about if case_id not in cases)
        for place, _, _, case_id in rows:
            if case_id in missing:
                yield place, finding_at("CT-026", place, "case_id", {"value": case_id or ""})

    def _of(self, record_type: str | None, record_ids: Collection[str]) -> Collection[str] | None:
        return self._history.held(record_type, record_ids, replacing=self._replacing)


def gone_with_its_case(place: Place, case_id: str) -> Finding:
    """Return what is said of a record whose case goes back and is not held."""
    values = {"value": case_id, "detail": _WITH_ITS_CASE}
    return finding_at("CT-026", place, "case_id", values)


def _portions(items: Iterable[Item]) -> Iterator[list[Item]]:
    remaining = iter(items)
    while portion := list(islice(remaining, _PORTION)):
        yield portion
