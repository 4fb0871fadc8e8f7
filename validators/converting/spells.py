"""Spells of a state, put together from the episodes in which an export tells them."""

from collections.abc import Iterable, Iterator
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
    for each in sorted(spells, key=_span):
        if made and _goes_on(made[-1], each):
            made[-1] = replace(made[-1], end=each.end)
        else:
            made.append(each)
    return made


def _goes_on(before: Spell, after: Spell) -> bool:
    if after.is_new or (before.state, before.detail) != (after.state, after.detail):
        return False
    return before.end is not None and after.start in (before.end, before.end + timedelta(days=1))


def overlapping(spells: Iterable[Spell]) -> Iterator[tuple[Spell, Spell]]:
    """Yield each spell that begins before another ended, or on the day of it, after that other."""
    longest: Spell | None = None
    for each in sorted(spells, key=_span):
        if longest is not None and (each.start < _end(longest) or each.start == longest.start):
            yield longest, each
        if longest is None or _end(each) >= _end(longest):
            longest = each


def _span(spell: Spell) -> tuple[date, date]:
    return spell.start, _end(spell)


def _end(spell: Spell) -> date:
    return spell.end or date.max
