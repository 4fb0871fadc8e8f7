"""Rules over the cases that share a linkage token: CT-029 and CT-103 (CTDS sections 6 and 8).

`lt_phon_yob` is left out: it is made to be shared by children who are not the same. Of a token only
64 bits are remembered; two that agree by chance would be a wonder among millions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from validators.rules.group import GroupRule, Member, Misfit, misfit
from validators.rules.rule import RecordContext

SHARED = ("lt_name_dob", "lt_tokens_dob", "lt_nrm", "lt_upn", "lt_ho_ref")
_SAME_CHILD = frozenset({"lt_name_dob", "lt_nrm", "lt_upn"})
_MOST_CHILDREN = 5


@dataclass(slots=True)
class Sharers:
    """The cases in which one column holds one token."""

    column: str
    cases: list[Member] = field(default_factory=list)

    @property
    def children(self) -> int:
        """How many different children they are about."""
        return len({each.record["person_ref"] for each in self.cases})


def one_child_has_one_reference(sharers: Sharers, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-029: different children do not share a strong token."""
    if sharers.column in _SAME_CHILD and 1 < sharers.children <= _MOST_CHILDREN:
        for each in sharers.cases:
            yield misfit(each, "person_ref")


def token_is_no_default(sharers: Sharers, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-103: a token of many children is the hash of a blank."""
    if sharers.children > _MOST_CHILDREN:
        for each in sharers.cases:
            yield misfit(each, sharers.column, n=sharers.children)


_CASE = frozenset({"CASE"})

RULES: tuple[GroupRule[Sharers], ...] = (
    GroupRule("CT-029", _CASE, one_child_has_one_reference),
    GroupRule("CT-103", _CASE, token_is_no_default),
)
