"""Records that are held from earlier submissions: what can be new, and what can be amended."""

from typing import Any
from uuid import UUID

import pytest

from gateway.flow.history import DatabaseHistory
from gateway.flow.process import PackageTaken
from gateway.records import State
from tests.gateway.stand import OTHER_POLICE, POLICE, Sender, Stand, fresh
from tests.validators import samples

Records = dict[str, list[dict[str, str]]]


def sent(stand: Stand, sender: Sender, records: Any, **changed: object) -> tuple[UUID, str]:
    """A settled submission, and the id of its package."""
    built = sender.package(records, **changed)
    submission = stand.send(sender, sender.encrypt(built.data))
    stand.settle()
    return submission, str(built.manifest["submission_id"])


def totals(stand: Stand, sender: Sender, submission: UUID) -> dict[str, int]:
    """How often each rule was broken, but for the second return of a period (CT-010)."""
    found: dict[str, int] = stand.report(sender, submission)["totals"]
    return {rule: number for rule, number in found.items() if rule != "CT-010"}


def amended(records: Records, action: str = "AMEND") -> Records:
    return {
        kind: [{**row, "record_action": action} for row in rows] for kind, rows in records.items()
    }


def test_a_record_is_new_once(stand: Stand) -> None:
    sender, records = stand.sender(POLICE), samples.children(2, seed=fresh())
    first, _ = sent(stand, sender, records)
    again, _ = sent(stand, sender, records)
    assert stand.state(first) is State.STORED
    assert stand.state(again) is State.REJECTED
    assert totals(stand, sender, again) == {"CT-025": 6}


def test_an_id_is_of_one_record_whatever_its_type(stand: Stand) -> None:
    sender, records = stand.sender(POLICE), samples.children(2, seed=fresh())
    first = {kind: rows[:1] for kind, rows in records.items()}
    sent(stand, sender, first)
    taken = {kind: rows[1:] for kind, rows in records.items()}
    taken["DECN"][0]["record_id"] = first["EXPL"][0]["record_id"]
    submission, _ = sent(stand, sender, taken)
    assert stand.state(submission) is State.STORED
    assert totals(stand, sender, submission) == {"CT-025": 1}


def test_what_is_held_can_be_amended_and_withdrawn(stand: Stand) -> None:
    sender, records = stand.sender(POLICE), samples.children(1, seed=fresh())
    never, _ = sent(stand, sender, amended(records))
    assert totals(stand, sender, never) == {"CT-025": 3}
    sent(stand, sender, records)
    for action in ("AMEND", "AMEND", "DELETE"):
        submission, _ = sent(stand, sender, amended(records, action))
        assert stand.state(submission) is State.STORED
        assert totals(stand, sender, submission) == {}


def test_a_row_may_be_about_a_case_that_is_held(stand: Stand) -> None:
    sender, records = stand.sender(POLICE), samples.children(1, seed=fresh())
    decisions = {"DECN": records.pop("DECN")}
    early, _ = sent(stand, sender, decisions)
    assert totals(stand, sender, early) == {"CT-026": 1}
    sent(stand, sender, records)
    late, _ = sent(stand, sender, decisions)
    assert totals(stand, sender, late) == {}


def test_a_replacement_brings_its_records_anew(stand: Stand) -> None:
    sender, records = stand.sender(POLICE), samples.children(1, seed=fresh())
    package = sent(stand, sender, records)[1]
    for _ in range(2):
        submission, package = sent(
            stand, sender, records, submission_type="REPLACEMENT", replaces=package
        )
        assert stand.state(submission) is State.STORED
        assert totals(stand, sender, submission) == {}


def test_what_was_replaced_cannot_be_replaced_again(stand: Stand) -> None:
    """Otherwise two replacements of one return would stand, and every child be counted twice."""
    sender = stand.sender(POLICE)
    package = sent(stand, sender, samples.children(1, seed=fresh()))[1]
    replacing = {"submission_type": "REPLACEMENT", "replaces": package}
    first, _ = sent(stand, sender, samples.children(1, seed=fresh()), **replacing)
    second, _ = sent(stand, sender, samples.children(1, seed=fresh()), **replacing)
    assert stand.state(first) is State.STORED
    assert stand.state(second) is State.REJECTED
    assert totals(stand, sender, second) == {"CT-009": 1}


def test_of_two_that_replace_one_the_second_is_judged_again(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = stand.sender(POLICE)
    package = sent(stand, sender, samples.children(1, seed=fresh()))[1]
    replacing = {"submission_type": "REPLACEMENT", "replaces": package}
    sent(stand, sender, samples.children(1, seed=fresh()), **replacing)
    built = sender.package(samples.children(1, seed=fresh()), **replacing)
    second = stand.send(sender, sender.encrypt(built.data))
    with monkeypatch.context() as patch:
        patch.setattr(DatabaseHistory, "replaceable", lambda *_: True)
        with pytest.raises(PackageTaken):
            stand.worker.processor.process(second)
    stand.settle()
    assert totals(stand, sender, second) == {"CT-009": 1}


def test_what_was_returned_or_only_tried_is_not_held(stand: Stand) -> None:
    sender, records = stand.sender(POLICE), samples.children(2, seed=fresh())
    bad = {**records, "CASE": [records["CASE"][0], {**records["CASE"][1], "sex": "Q"}]}
    sent(stand, sender, bad, submission_type="TEST")
    sent(stand, sender, bad)
    again, _ = sent(stand, sender, {"CASE": records["CASE"][1:], "EXPL": []})
    # The case is new, as it was returned; its situation is held.
    assert "CT-025" not in totals(stand, sender, again)


def test_what_another_agency_sent_is_not_held(stand: Stand) -> None:
    records = samples.children(1, seed=fresh())
    sent(stand, stand.sender(OTHER_POLICE), records)
    submission, _ = sent(stand, stand.sender(POLICE), records)
    assert "CT-025" not in totals(stand, stand.sender(POLICE), submission)


@pytest.mark.parametrize("record_id", ["", "banana", "31/02/2026", "9" * 36])
def test_a_row_whose_id_is_none_goes_back_and_the_rest_stays(stand: Stand, record_id: str) -> None:
    sender, records = stand.sender(POLICE), samples.children(2, seed=fresh())
    records["CASE"][0]["record_id"] = record_id
    submission, _ = sent(stand, sender, records)
    assert stand.state(submission) is State.STORED
    assert totals(stand, sender, submission).keys() == {
        "CT-015" if record_id else "CT-014",
        "CT-026",
    }


def test_who_comes_second_with_a_record_is_judged_again(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers judge two submissions with one record at once; neither knows of the other."""
    sender, records = stand.sender(POLICE), samples.children(1, seed=fresh())
    sent(stand, sender, records)
    second = stand.send(sender, sender.encrypt(sender.package(records).data))
    with monkeypatch.context() as patch:
        patch.setattr(DatabaseHistory, "held", lambda *_, **__: ())
        with pytest.raises(PackageTaken):
            stand.worker.processor.process(second)
    assert stand.state(second) is State.RECEIVED
    stand.settle()
    assert stand.state(second) is State.REJECTED
    assert totals(stand, sender, second) == {"CT-025": 3}
