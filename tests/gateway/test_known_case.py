"""What is remembered of records, and what counts of a case's versions: without any server."""

from datetime import date
from secrets import token_bytes
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import CellDamaged
from gateway.flow.facts import CaseFacts, EpisodeFacts, Notes, TotalFacts, facts_of, total_place
from gateway.flow.knowncase import KnownCase
from gateway.flow.pepper import Pepper
from gateway.store.linkage import Remembered, Version
from tests.validators import stories
from validators.rules.activity import Total

PEPPER = Pepper(bytes(range(32, 64)), random_bytes=token_bytes)
SCHEMES = ("CTL1-2025", "CTL1-2026", "NONE")
ACTIONS = ("NEW", "AMEND", "DELETE")
facts = st.builds(
    CaseFacts,
    action=st.sampled_from(ACTIONS),
    sex=st.sampled_from([None, "F", "M"]),
    birth_year_month=st.sampled_from([None, "2010-06"]),
    referred=st.sampled_from([None, "2026-02-12"]),
    link_scheme=st.sampled_from(SCHEMES),
)
histories = st.lists(facts, max_size=6).map(lambda each: {uuid4(): one for one in each})


def noted(
    record_type: str, record: dict[str, Any], *, agency_id: str = "POL-1"
) -> list[Remembered]:
    notes = Notes(PEPPER, agency_id=agency_id, submission_id=SUBMISSION)
    given = {name: value for name, value in record.items() if value != ""}
    notes.take(record_type, given)
    return notes.taken


SUBMISSION = UUID(int=7, version=4)


def read(row: Remembered) -> list[Any]:
    return facts_of(PEPPER, Version(SUBMISSION, row.record, row.about, row.facts))


def test_a_case_is_remembered_by_what_rules_ask_for() -> None:
    case = stories.case()
    (row,) = noted("CASE", case)
    assert row.record == row.about
    assert len(row.tokens) == 1
    assert CaseFacts(*read(row)) == CaseFacts(
        "NEW", case["sex"], "2010-06", "2026-02-10", "CTL1-2026"
    )
    (same,) = noted("CASE", case)
    assert (same.record, same.tokens) == (row.record, row.tokens)
    assert same.facts != row.facts
    (elsewhere,) = noted("CASE", case, agency_id="POL-2")
    assert elsewhere.record != row.record


def test_an_episode_is_remembered_at_its_case() -> None:
    (case,) = noted("CASE", stories.case())
    for end, is_open in (("", True), ("2026-02-22", False)):
        (row,) = noted("MISS", stories.miss(end_date=end))
        assert row.about == case.record
        assert row.record != row.about
        assert EpisodeFacts(*read(row)) == EpisodeFacts("NEW", is_open)
    assert noted("MISS", stories.miss(case_id="")) == []


def test_of_counts_only_totals_are_remembered() -> None:
    total = Total("NRM_REFERRALS", "E23000020", date(2026, 1, 1), date(2026, 3, 31))
    row = stories.actv() | {
        "count": 31, "period_start": "2026-01-01", "period_end": "2026-03-31"
    }  # fmt: skip
    (exact,) = noted("ACTV", row)
    assert exact.about == total_place(PEPPER, "POL-1", total)
    assert TotalFacts(*read(exact)) == TotalFacts("NEW", 31)
    (estimate,) = noted("ACTV", row | {"count_status": "ESTIMATE"})
    assert TotalFacts(*read(estimate)) == TotalFacts("NEW", None)
    assert noted("ACTV", row | {"sex": "F"}) == []
    # It may have been a total before: then it is none any more.
    (changed,) = noted("ACTV", row | {"sex": "F", "record_action": "AMEND"})
    assert TotalFacts(*read(changed)) == TotalFacts("AMEND", None)
    assert changed.record == exact.record


@pytest.mark.parametrize("moved", ["submission", "record", "about"])
def test_facts_open_in_their_place_only(moved: str) -> None:
    (row,) = noted("CASE", stories.case())
    place = {"submission": SUBMISSION, "record": row.record, "about": row.about}
    place[moved] = uuid4() if moved == "submission" else bytes(16)
    with pytest.raises(CellDamaged):
        facts_of(PEPPER, Version(*place.values(), facts=row.facts))  # type: ignore[arg-type]


@given(one=st.lists(st.text(), max_size=4), other=st.lists(st.text(), max_size=4))
def test_no_two_places_are_one(one: list[str], other: list[str]) -> None:
    assert (PEPPER.place(*one) == PEPPER.place(*other)) == (one == other)


@given(history=histories, data=st.data())
def test_a_case_is_found_by_what_it_has_now(history: dict[UUID, CaseFacts], data: Any) -> None:
    by = data.draw(st.sampled_from([*history, uuid4()]))
    linked = KnownCase(history).linked([("lt_nrm", by)])
    newest = list(history.values())[-1] if history else None
    if newest is None or newest.action == "DELETE" or newest.link_scheme == "NONE":
        assert linked is None
        return
    at = list(history).index(by) if by in history else None
    later = [] if at is None else list(history.values())[at + 1 :]
    replaced = at is None or any(each.link_scheme == history[by].link_scheme for each in later)
    assert (linked is None) == replaced
    if linked is not None:
        assert linked.sex == newest.sex
        assert linked.through == {"lt_nrm"}


def test_peppers_of_other_gateways_have_nothing_in_common() -> None:
    other = Pepper(bytes(32), random_bytes=token_bytes)
    assert PEPPER.name != other.name
    assert PEPPER.token("lt_nrm", "0" * 64) != other.token("lt_nrm", "0" * 64)
    assert PEPPER.place("a") != other.place("a")
    with pytest.raises(CellDamaged):
        other.open(PEPPER.seal(["F"], place=b"here"), place=b"here")
