"""Which witnesses must have seen a checkpoint before it is believed (c2sp.org/tlog-policy).

    witness <name> <vkey> [<url>]
    group   <name> any|all|<number> <member> <member> …
    quorum  <name>|none

One statement a line; `#` begins a comment. A member is a witness or an earlier group. `log` lines,
which the format knows too, are refused: the log's keys are pinned apart, with their handovers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from audit.cosignature import WitnessKey, time_of
from audit.errors import NoteUntrusted, PolicyRefused
from audit.note import open_note
from audit.numerals import read_numeral

_MOST_CHARACTERS = 65_536
_NONE = "none"


@dataclass(frozen=True, slots=True)
class Witnessing:
    """A witness of the policy, and where it answers; None where it is not asked by us."""

    name: str
    key: WitnessKey
    url: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A witness that cosigned, and when, by its clock."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Policy:
    """Who witnesses, and how many of whom must have."""

    witnesses: tuple[Witnessing, ...]
    groups: dict[str, tuple[int, tuple[str, ...]]]
    quorum: str

    @classmethod
    def from_text(cls, text: str) -> "Policy":
        """Read a policy; raises PolicyRefused, or KeyRefused for a key."""
        if len(text) > _MOST_CHARACTERS:
            raise PolicyRefused("the policy is too large")
        reader = _Reader()
        for line in text.splitlines():
            words = line.partition("#")[0].split()
            if words:
                reader.read(words)
        return reader.policy()

    def seen(self, raw: bytes) -> tuple[Seen, ...]:
        """Who of the policy cosigned a note, in its order; raises an error of the note."""
        names = {each.key: each.name for each in self.witnesses}
        try:
            note = open_note(raw, tuple(names))
        except NoteUntrusted:
            return ()
        by_id = {(key.name, key.key_id): name for key, name in names.items()}
        return tuple(
            Seen(by_id[each.name, each.key_id], time_of(each.signature)) for each in note.signatures
        )

    def require(self, raw: bytes) -> tuple[Seen, ...]:
        """Who cosigned a note, where that is enough; raises NoteUntrusted where it is not."""
        seen = self.seen(raw)
        if not self.is_enough(each.name for each in seen):
            names = ", ".join(each.name for each in seen) or "nobody"
            raise NoteUntrusted(f"too few witnesses have seen this checkpoint: {names}")
        return seen

    def is_enough(self, names: Iterable[str]) -> bool:
        """Whether these witnesses make the quorum."""
        there = frozenset(names)
        return self.quorum == _NONE or self._holds(self.quorum, there)

    def _holds(self, name: str, there: frozenset[str]) -> bool:
        if name not in self.groups:
            return name in there
        wanted, members = self.groups[name]
        return sum(self._holds(each, there) for each in members) >= wanted


class _Reader:
    def __init__(self) -> None:
        self._witnesses: dict[str, Witnessing] = {}
        self._groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._quorum: str | None = None

    def read(self, words: list[str]) -> None:
        match words:
            case ["witness", name, vkey, *rest] if len(rest) <= 1:
                self._new(name)
                url = rest[0] if rest else None
                self._witnesses[name] = Witnessing(name, WitnessKey.from_vkey(vkey), url)
            case ["group", name, count, *members] if members:
                self._new(name)
                self._groups[name] = (_count(count, members), self._known(members))
            case ["quorum", name] if self._quorum is None:
                self._quorum = name if name == _NONE else self._known([name])[0]
            case _:
                raise PolicyRefused(f"this line is not understood: {' '.join(words)[:80]}")

    def policy(self) -> Policy:
        if self._quorum is None:
            raise PolicyRefused("the policy names no quorum")
        keys = {each.key for each in self._witnesses.values()}
        if len(keys) < len(self._witnesses):
            raise PolicyRefused("one key stands for two witnesses")
        return Policy(tuple(self._witnesses.values()), self._groups, self._quorum)

    def _new(self, name: str) -> None:
        if name in self._witnesses or name in self._groups or name == _NONE:
            raise PolicyRefused(f"{name} stands twice")

    def _known(self, names: list[str]) -> tuple[str, ...]:
        for name in names:
            if name not in self._witnesses and name not in self._groups:
                raise PolicyRefused(f"{name} is not known")
        if len(set(names)) < len(names):
            raise PolicyRefused("one member stands twice")
        return tuple(names)


def _count(text: str, members: list[str]) -> int:
    if text == "any":
        return 1
    count = len(members) if text == "all" else read_numeral(text)
    if count is None or not 1 <= count <= len(members):
        raise PolicyRefused("a group wants any, all, or a number of its members")
    return count
