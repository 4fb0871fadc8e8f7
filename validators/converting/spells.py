"""Spells of a state, put together from the episodes in which an export tells them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from validators.converting.problems import Place


@dataclass(frozen=True, slots=True)
class Spell:
    """A state from one day to another, or going on; `is_new` where it cannot be a continuation."""

    state: str
    start: date
    end: date | None
    place: Place
    is_new: bool = False
    detail: str = ""


def joined(spells: Iterable[Spell]) -> list[Spell]:
    """Return the spells in order, made one where the same state goes on without a day between."""
    made: list[Spell] = []
    for each in sorted(spells, key=lambda spell: (spell.start, spell.end or date.max)):
        if made and _goes_on(made[-1], each):
            made[-1] = replace(made[-1], end=each.end)
        else:
            made.append(each)
    return made


def _goes_on(before: Spell, after: Spell) -> bool:
    if after.is_new or (before.state, before.detail) != (after.state, after.detail):
        return False
    return before.end is not None and after.start in (before.end, before.end + timedelta(days=1))
