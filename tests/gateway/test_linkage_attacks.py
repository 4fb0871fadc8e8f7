"""Linkage as an attacker would use it: tokens that are kept, answers that nobody is held to.

Each is tried against the real gateway, with its own processes, database and object store.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from crypto import CellDamaged
from gateway.errors import GatewayError
from gateway.records import State
from gateway.store.linkage import MOST_OF_A_TOKEN
from gateway.store.objects import Bucket
from tests.gateway.linking import (
    FILTER,
    LINKED,
    TOKENS,
    asked,
    child,
    fresh_tokens,
    missing,
    same_child,
    sealed_cases,
    secret_pepper,
    together,
    told,
)
from tests.gateway.processes import Processes
from tests.gateway.stand import COUNCIL, OTHER_POLICE, POLICE, Stand
from tests.gateway.test_held_records import amended, sent
from tests.gateway.test_invariants import everything_kept
from validators.linkage import peppered


@pytest.fixture
def running(stand: Stand, tmp_path: Path) -> Iterator[Processes]:
    """The real processes, whose output is looked through."""
    with Processes(stand.environ, tmp_path) as processes:
        yield processes


def test_a_received_token_is_kept_nowhere(stand: Stand, running: Processes) -> None:
    """The attack: whoever steals database, vault and logs, and has a linkage key, tests names."""
    sender = stand.sender(POLICE)
    held, returned = fresh_tokens(), fresh_tokens()
    good = missing(child(**held, clk=FILTER))
    good["CASE"] += child(**returned, clk=FILTER, ethnicity="WRONG")["CASE"]
    submission = stand.send(sender, sender.encrypt(sender.package(good).data))
    dry_run = stand.try_out(sender, sender.encrypt(sender.package(good).data))
    stand.settle()
    assert stand.state(submission) is State.STORED

    paths = (f"/v1/submissions/{submission}/report", f"/v1/dry-runs/{dry_run}/report")
    kept = [("report", stand.get(path, sender).get_data()) for path in paths]
    kept += [("log of a process", running.log(name).encode()) for name in running.names]
    kept += [("sealed", data) for data in stand.unsealed(submission).values()]
    kept += everything_kept(stand)
    assert {"remembered_record", "linkage_token"} <= {where for where, _ in kept}
    for token in (*held.values(), *returned.values()):
        # Whole or in halves, as digits or as octets.
        halves = token[:32], token[32:]
        forms = {form for half in halves for form in (half.encode(), bytes.fromhex(half))}
        assert [where for where, data in kept if any(form in data for form in forms)] == []
    assert [where for where, data in kept if FILTER.encode() in data] == []
    for each in (submission, dry_run):
        with pytest.raises(GatewayError):
            stand.admin.objects.open(Bucket.QUARANTINE, f"{POLICE}/{each}.pgp")


@pytest.mark.parametrize("kind", ["RETURN", "TEST"])
def test_what_is_sealed_has_the_pepper_on_its_tokens(stand: Stand, kind: str) -> None:
    tokens = fresh_tokens()
    records = child(**tokens, clk=FILTER)
    submission, _ = sent(stand, stand.sender(POLICE), records, submission_type=kind)
    (case,) = sealed_cases(stand, submission)
    secret = secret_pepper(stand)
    wanted = {name: peppered(name, token, pepper=secret) for name, token in tokens.items()}
    assert {name: case[name] for name in TOKENS} == wanted
    assert "clk" not in case
    assert case["record_id"] == records["CASE"][0]["record_id"]


def test_a_dry_run_or_a_test_cannot_be_asked_after_a_child(stand: Stand) -> None:
    """The attack: a name is turned into tokens, and tried without anything being recorded of it."""
    held = missing(child(sex="F"))
    sent(stand, stand.sender(POLICE), held)
    probe = same_child(held, sex="M")
    asks = stand.sender(OTHER_POLICE)
    dry_run = stand.try_out(asks, asks.encrypt(asks.package(probe).data))
    stand.settle()
    said = stand.get(f"/v1/dry-runs/{dry_run}/report", asks).get_json()
    assert said["verdict"] == "accepted"
    assert not set(LINKED) & set(said["totals"])
    assert asked(stand, probe, submission_type="TEST") == {}
    # In earnest it is told, and stands in the agency's name.
    assert asked(stand, probe) == {"CT-104": 1, "CT-106": 1}


@pytest.mark.parametrize(
    "spoilt",
    [{"gateway": "A" * 40}, {"record_counts": {"CASE": 7}}, {"agency_type": "NGO"}],
    ids=["meant for another", "miscounted", "of another type"],
)
def test_what_is_sent_to_be_rejected_is_told_nothing(stand: Stand, spoilt: dict[str, Any]) -> None:
    """The attack: a question in earnest, but in a package that will not stand."""
    held = missing(child(sex="F"))
    sent(stand, stand.sender(POLICE), held)
    asks = stand.sender(OTHER_POLICE)
    submission, _ = sent(stand, asks, same_child(held, sex="M"), **spoilt)
    assert stand.state(submission) is State.REJECTED
    assert told(stand, asks, submission) == {}


def test_a_row_that_goes_back_is_told_nothing(stand: Stand) -> None:
    held = missing(child(sex="F"))
    sent(stand, stand.sender(POLICE), held)
    asks = stand.sender(OTHER_POLICE)
    probe, good = same_child(held, sex="M", ethnicity="WRONG"), child()
    both = {kind: [*probe[kind], *good[kind]] for kind in good}
    submission, _ = sent(stand, asks, both)
    assert stand.report(asks, submission)["verdict"] == "accepted-in-part"
    assert told(stand, asks, submission) == {}


def test_a_finding_says_nothing_that_the_other_agency_wrote(stand: Stand) -> None:
    held = missing(child(sex="F"))
    sent(stand, stand.sender(POLICE), held)
    theirs = held["CASE"][0]
    mine = child(sex="M", **{name: theirs[name] for name in ("lt_name_dob", "lt_nrm")})
    asks = stand.sender(OTHER_POLICE)
    submission, _ = sent(stand, asks, mine)
    findings = stand.report(asks, submission)["findings"]
    said = [each for each in findings if each["rule"] in LINKED]
    assert {each["rule"] for each in said} >= {"CT-104", "CT-106"}
    for finding in said:
        assert set(finding["values"]) <= {"field"}
        for name in ("birth_year_month", "nrm_referral_date", "record_id", "person_ref"):
            assert theirs[name] not in str(finding)
        assert POLICE not in str(finding)


def test_a_flood_of_one_token_hides_no_earlier_case(stand: Stand) -> None:
    """The attack: the missing child is sent so often that the first report is not looked at."""
    held = missing(child())
    sent(stand, stand.sender(POLICE), held)
    flood = [same_child(held, person_ref="P-aaaaaaaa") for _ in range(MOST_OF_A_TOKEN + 5)]
    drowning, _ = sent(stand, stand.sender(COUNCIL), together(flood))
    assert stand.state(drowning) is State.STORED
    assert asked(stand, same_child(held)) == {"CT-106": 1}


def test_many_amendments_hide_neither_their_own_case_nor_another(stand: Stand) -> None:
    """A case that is amended again and again has its token in each of its versions."""
    first, second = stand.sender(POLICE), stand.sender(COUNCIL)
    amended_often = child(sex="F")
    sent(stand, first, amended_often)
    one = amended({"CASE": amended_often["CASE"]})
    for _ in range(MOST_OF_A_TOKEN + 1):
        stand.send(first, first.encrypt(first.package(one).data))
    stand.settle()
    assert asked(stand, same_child(amended_often, sex="M")) == {"CT-104": 1}
    sent(stand, second, missing(same_child(amended_often)))
    assert asked(stand, same_child(amended_often)) == {"CT-106": 1}


def test_facts_moved_to_another_row_are_noticed(stand: Stand) -> None:
    """The attack: with rights in the database a missing child's facts become another's."""
    held, other = child(sex="F"), child(sex="M")
    first, _ = sent(stand, stand.sender(POLICE), held)
    second, _ = sent(stand, stand.sender(POLICE), other)
    swap = """
        UPDATE remembered_record AS one SET facts = another.facts FROM remembered_record AS another
        WHERE one.submission_id = :one AND another.submission_id = :another
    """
    with stand.database.transaction() as session:
        session.execute(text(swap), {"one": first, "another": second})
    asks = stand.sender(OTHER_POLICE)
    probe = stand.send(asks, asks.encrypt(asks.package(same_child(held)).data))
    with pytest.raises(CellDamaged):
        stand.worker.processor.process(probe)
    assert stand.state(probe) is State.RECEIVED
    stand.worker.processor.fail(probe, "internal")


def test_the_database_alone_tells_nothing_of_a_child(stand: Stand) -> None:
    """No value and no record id stands in what is remembered, and facts are all of one length."""
    held = missing(child())
    without = child(nrm_referred="NO", nrm_referral_date="", nrm_not_referred_reason="OTHER")
    without["CASE"][0] |= {"nrm_first_responder": "", "competent_authority": ""}
    without["DECN"] = []
    ids = []
    for records in (held, without):
        submission, _ = sent(stand, stand.sender(POLICE), records)
        ids += [row["record_id"] for row in records["CASE"]]
        assert stand.state(submission) is State.STORED
    with stand.database.transaction() as session:
        rows = session.execute(text("SELECT record, about, facts FROM remembered_record")).all()
        names = session.scalars(text("SELECT token FROM linkage_token")).all()
    assert len({len(row.facts) for row in rows}) == 1
    everything = b"".join([*(value for row in rows for value in row), *names])
    born = held["CASE"][0]["birth_year_month"].encode()
    for secret in (born, b"NEW", *(UUID(each).bytes for each in ids)):
        assert secret not in everything
