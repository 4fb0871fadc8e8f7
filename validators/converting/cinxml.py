"""The children in need census as the Department for Education takes it: one XML element a child.

Owns the shape: an outermost element Message, and in it Children with one Child each. Of a file of
any size one child is held at a time, as a small tree, within bounds. Attributes are passed over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from validators.converting.problems import Place, Problems
from validators.converting.tables import Source
from validators.readers.boundedxml import Misshapen, parsed

ROOT, _CHILD = "Message", "Child"
_DEEPEST = 16
_MOST_CHILDREN = 10_000_000
_MOST_ELEMENTS = 20_000
_LONGEST_CHILD = 1 << 20
_MOST_NAMES = 1_000
_AGAIN = "Export the census again, as the XML file that the Department for Education takes."


@dataclass(slots=True)
class Element:
    """A part of a child's record."""

    tag: str
    text: str = ""
    parts: list["Element"] = field(default_factory=list)

    def all(self, tag: str) -> Iterator["Element"]:
        """The parts directly in it that have this name."""
        return (each for each in self.parts if each.tag == tag)

    def within(self, tag: str) -> Iterator["Element"]:
        """The parts of this name at any depth."""
        for each in self.parts:
            if each.tag == tag:
                yield each
            yield from each.within(tag)

    def value(self, *tags: str) -> str:
        """The text of the first part of one of these names; "" where there is none."""
        return next((each.text.strip() for each in self.parts if each.tag in tags), "")


@dataclass(frozen=True, slots=True)
class CensusChild:
    """A child's record, and its place: the first in the file is 1."""

    place: Place
    record: Element


def read_census(source: Source, problems: Problems) -> Iterator[CensusChild]:
    """Yield the children; raises SourceUnfit where the file cannot be read on."""
    built = _Children()
    try:
        for _ in parsed(source.stream, built, outermost=ROOT):
            for number, record in built.taken():
                yield CensusChild(Place(source.name, number), record)
        if built.number == 0:
            raise Misshapen(f"no element {_CHILD} is in it")
    except Misshapen as refused:
        problems.add(Place(source.name, built.number or None), refused.detail, mend=_AGAIN)
        problems.require_none()


class _Children:
    """What the parser calls for each part of the document; collects children."""

    def __init__(self) -> None:
        self._open: list[Element] = []
        self._done: list[tuple[int, Element]] = []
        self._depth = 0
        self._elements = 0
        self._length = 0
        self._names: set[str] = set()
        self.number = 0

    @property
    def has_begun(self) -> bool:
        """Whether the outermost element has begun."""
        return bool(self._names)

    def taken(self) -> list[tuple[int, Element]]:
        done, self._done = self._done, []
        return done

    def start(self, tag: str, _attributes: Mapping[str, str]) -> None:
        if self._depth == 0 and tag != ROOT:
            raise Misshapen(f"the outermost element is not {ROOT}")
        self._depth += 1
        self._know(tag)
        if self._open:
            self._begin_part(tag)
        elif tag == _CHILD:
            self._begin_child(tag)

    def data(self, text: str) -> None:
        self._length += len(text)
        if self._length > _LONGEST_CHILD:
            raise Misshapen(f"a child's record is longer than {_LONGEST_CHILD:,} characters")
        if self._open:
            self._open[-1].text += text

    def end(self, _tag: str) -> None:
        self._depth -= 1
        if self._open:
            ended = self._open.pop()
            if not self._open:
                self._done.append((self.number, ended))
                self._length = 0

    def _know(self, tag: str) -> None:
        # expat keeps every name that it has met, and each level costs memory until it ends.
        self._names.add(tag)
        if len(self._names) > _MOST_NAMES:
            raise Misshapen(f"the elements have more than {_MOST_NAMES:,} different names")
        if self._depth > _DEEPEST:
            raise Misshapen(f"elements stand more than {_DEEPEST} deep in each other")

    def _begin_child(self, tag: str) -> None:
        self.number += 1
        if self.number > _MOST_CHILDREN:
            raise Misshapen(f"there are more than {_MOST_CHILDREN:,} children")
        self._open.append(Element(tag))
        self._elements, self._length = 0, 0

    def _begin_part(self, tag: str) -> None:
        self._elements += 1
        if self._elements > _MOST_ELEMENTS:
            raise Misshapen(f"a child's record has more than {_MOST_ELEMENTS:,} elements")
        part = Element(tag)
        self._open[-1].parts.append(part)
        self._open.append(part)
