"""What other agencies know of the children of one package: CT-104 to CT-106.

Asked while the rows are read, many cases at a time, so that no token is remembered for longer. Told
at the end, and only of a package and a row that stand: whoever could read the answer and have
nothing recorded in their name would ask after any child they like.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from validators.findings import Finding, finding
from validators.rules import linked
from validators.rules.group import Member, Misfit, Place
from validators.rules.linked import Token, is_same_child
from validators.rules.rule import RecordContext
from validators.rules.submission import History
from validators.rules.tokens import SHARED

_MOST_WAITING = 1_000


class Links:
    """Asks about cases as they are seen, and says what does not fit in the order of the rows."""

    def __init__(self, ctx: RecordContext, history: History) -> None:
        self.are_told = history.tells_links(ctx.manifest)
        self._history = history
        self._waiting: list[tuple[Member, Sequence[Token]]] = []
        self._files: dict[str, int] = {}
        self._misfits: list[tuple[str, Place, Misfit]] = []

    def see(self, case: Member, record: Mapping[str, Any]) -> None:
        """Ask about a case, by itself or with others that come."""
        given = [(column, record[column]) for column in SHARED if record[column] is not None]
        if not self.are_told or not given:
            return
        self._waiting.append((case, given))
        if len(self._waiting) == _MOST_WAITING:
            self._ask_waiting()

    def ask(self, tokens: Sequence[Sequence[Token]], case: Callable[[int], Member]) -> None:
        """Ask about cases at once; `case` gives one of them by its place among them."""
        if not self.are_told:
            return
        for at, others in enumerate(self._history.linked_cases(tokens)):
            if others:
                self._hold_against(case(at), others)

    def findings(self) -> Iterator[tuple[Place, Finding]]:
        """Yield what does not fit with other agencies' cases, with the row that it is about."""
        self._ask_waiting()
        for code, place, each in sorted(self._misfits, key=self._in_order):
            yield (
                place,
                finding(code, file=place.file, row=place.row, column=each.column, **each.values),
            )

    def _ask_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.ask([tokens for _, tokens in waiting], lambda at: waiting[at][0])

    def _hold_against(self, case: Member, others: Sequence[linked.LinkedCase]) -> None:
        same = [each for each in others if is_same_child(case, each)]
        self._files.setdefault(case.place.file, len(self._files))
        for code, check in linked.RULES.items():
            self._misfits += [(code, case.place, each) for each in check(case, same)]

    def _in_order(self, told: tuple[str, Place, Misfit]) -> tuple[int, int]:
        # Rows that are judged in bulk and rows that are not are asked about apart.
        _, place, _ = told
        return self._files[place.file], place.row
