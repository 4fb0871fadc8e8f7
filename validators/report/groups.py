"""One mistake that repeats, told once: findings grouped, rows as ranges.

An export that writes one code wrongly does so in every row; nobody reads ninety equal sentences.
Findings are one mistake when rule, file and column agree. Where the values differ, the group says
so and names a few. A row that is blank in most of what is required is one mistake, too: often it is
no record, but a total.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from validators.findings import Finding

_MOST_RANGES = 10
_MOST_VALUES = 5
_MANY_BLANK = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Findings that are one mistake, in the order found; never empty."""

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """The finding that stands for the group."""
        return self.findings[0]

    @property
    def message(self) -> str:
        """The sentence, without values where they differ."""
        if self._columns:
            return f"{', '.join(self._columns)} are required."
        messages = {found.message() for found in self.findings}
        return messages.pop() if len(messages) == 1 else self.first.redacted().message()

    @property
    def values(self) -> str:
        """The values found, if they differ: "'X', 'Y' and 3 others"."""
        found = dict.fromkeys(each.values.get("value") for each in self.findings)
        values = [value for value in found if value is not None]
        if len(values) < 2:
            return ""
        named = ", ".join(f"'{value}'" for value in values[:_MOST_VALUES])
        rest = len(values) - _MOST_VALUES
        return named if rest < 1 else f"{named} and {rest} other{'s' * (rest > 1)}"

    @property
    def mend(self) -> str:
        """How to mend it, in one sentence."""
        first = self.first
        mends = first.standard.rules[first.rule].mends
        return mends.get("many", first.mend) if self._columns else first.mend

    @property
    def _columns(self) -> list[str]:
        """The columns, where the mistake is one of several."""
        columns = dict.fromkeys(each.column for each in self.findings if each.column)
        return list(columns) if len(columns) > 1 else []

    @property
    def place(self) -> str:
        """Where to look: "CASE.csv, column sex, rows 4 to 90, 97"."""
        rows = row_ranges(each.row for each in self.findings if each.row is not None)
        is_in_one = self.first.column and not self._columns
        column = f"column {self.first.column}" if is_in_one else None
        file, sheet = self.first.where
        return ", ".join(part for part in (file, sheet and f"sheet {sheet}", column, rows) if part)


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """Return the groups: what rejects the whole package first, then as they stand in the files."""
    groups: dict[tuple[str | None, ...], list[Finding]] = {}
    for found in findings:
        groups.setdefault(_mistake(found), []).append(found)
    made = [Group(tuple(each)) for each in _blank_together(groups.values())]
    return sorted(made, key=lambda group: group.first.level != "submission")


def row_ranges(rows: Iterable[int]) -> str:
    """Return rows as people write them; "" for none."""
    numbers = sorted(set(rows))
    ranges = list(_ranges(numbers))
    shown = ranges[:_MOST_RANGES]
    text = ", ".join(_range(low, high) for low, high in shown)
    rest = len(numbers) - sum(high - low + 1 for low, high in shown)
    more = f" and {rest:,} more" if rest else ""
    return f"{'row' if len(numbers) == 1 else 'rows'} {text}{more}" if numbers else ""


def _mistake(found: Finding) -> tuple[str | None, ...]:
    # Without a row two sentences of one rule are two mistakes: two counts that differ, say.
    sentence = found.message() if found.row is None else found.values.get("detail")
    return found.rule, found.file, found.column, sentence


def _blank_together(groups: Iterable[Sequence[Finding]]) -> Iterator[Sequence[Finding]]:
    """Put together the many required fields that are blank in the same few rows."""
    together: dict[object, list[Sequence[Finding]]] = {}
    for each in groups:
        first = each[0]
        rows = (first.file, *(found.row for found in each))
        is_blank = first.rule == "CT-014" and "detail" not in first.values
        together.setdefault(rows if is_blank else _mistake(first), []).append(each)
    for columns in together.values():
        if len(columns) >= max(_MANY_BLANK, len(columns[0])):
            yield [*chain.from_iterable(columns)]
        else:
            yield from columns


def _ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    for at, number in enumerate(numbers):
        if at and number == numbers[at - 1] + 1:
            continue
        end = at
        while end + 1 < len(numbers) and numbers[end + 1] == numbers[end] + 1:
            end += 1
        yield number, numbers[end]


def _range(low: int, high: int) -> str:
    if low == high:
        return str(low)
    return f"{low}, {high}" if high == low + 1 else f"{low} to {high}"
