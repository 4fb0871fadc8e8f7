"""Linkage through the real gateway: what an agency is told of children whom others know."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from secrets import token_bytes
from uuid import UUID

import pytest

from gateway.errors import SettingsRefused
from gateway.flow.history import DatabaseHistory
from gateway.flow.linkage import REMEMBERED_FOR, Linkage
from gateway.flow.pepper import Pepper
from gateway.records import State
from gateway.settings import Process, Settings
from gateway.store.submissions import find_submission
from gateway.wiring.worker import worker_services
from gateway.worker import forget_links
from tests.gateway.linking import (
    asked,
    child,
    fresh_tokens,
    missing,
    remembered,
    same_child,
    secret_pepper,
    together,
    told,
)
from tests.gateway.stand import COUNCIL, OTHER_POLICE, POLICE, Stand
from tests.gateway.test_held_records import amended, sent
from tests.validators import stories
from validators.bulk.judging import BulkRows
from validators.rows import Rows
from validators.run import validate
from validators.standard import load_standards


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, {}),
        ({"sex": "M"}, {"CT-104": 1}),
        ({"sex": "M", "birth_year_month": "2012-01", "age_at_referral": "14"}, {"CT-104": 2}),
    ],
)
def test_two_agencies_know_one_child(
    stand: Stand, changed: dict[str, str], expected: dict[str, int]
) -> None:
    held = child(sex="F", birth_year_month="2013-06", age_at_referral="12")
    sent(stand, stand.sender(POLICE), held)
    assert asked(stand, same_child(held, **changed)) == expected


@pytest.mark.parametrize(("name", "told_of_it"), [("lt_nrm", True), ("lt_name_dob", False)])
def test_referral_dates_are_compared_through_the_nrm_reference(
    stand: Stand, name: str, told_of_it: bool
) -> None:
    early = dict.fromkeys(("identification_date", "la_notified_date"), "2026-01-05")
    # Of an age that is the same on all these days.
    aged = {"birth_year_month": "2010-06", "age_at_referral": "15"}
    held = child(nrm_referral_date="2026-01-05", **early, **aged)
    held["DECN"][0]["decision_date"] = "2026-03-10"
    sent(stand, stand.sender(POLICE), held)
    late = same_child(held, name, nrm_referral_date="2026-03-02")
    late["CASE"][0] |= dict.fromkeys(("identification_date", "la_notified_date"), "2026-03-02")
    assert asked(stand, late) == ({"CT-105": 1} if told_of_it else {})


@pytest.mark.parametrize(("sex", "expected"), [("F", {"CT-106": 1}), ("M", {})])
def test_sorted_names_link_only_with_the_same_sex(
    stand: Stand, sex: str, expected: dict[str, int]
) -> None:
    held = missing(child(sex="F", **fresh_tokens("lt_tokens_dob")))
    sent(stand, stand.sender(POLICE), held)
    assert asked(stand, same_child(held, "lt_tokens_dob", sex=sex)) == expected


def test_a_sound_alike_or_a_token_of_another_field_links_nothing(stand: Stand) -> None:
    held = missing(child(**fresh_tokens("lt_phon_yob")))
    sent(stand, stand.sender(POLICE), held)
    assert asked(stand, same_child(held, "lt_phon_yob")) == {}
    crossed = child(lt_upn=held["CASE"][0]["lt_nrm"])
    assert asked(stand, crossed) == {}


def test_an_agency_is_not_told_of_its_own_cases(stand: Stand) -> None:
    held = missing(child(sex="F"))
    sender = stand.sender(POLICE)
    sent(stand, sender, held)
    again, _ = sent(stand, sender, same_child(held, sex="M"))
    assert told(stand, sender, again) == {}


def test_what_no_longer_stands_is_not_told_of(stand: Stand) -> None:
    """Tests, withdrawn and replaced submissions; what replaced one counts in its place."""
    sender, held = stand.sender(POLICE), missing(child(sex="F"))
    sent(stand, sender, held, submission_type="TEST")
    assert asked(stand, same_child(held, sex="M")) == {}

    submission, _ = sent(stand, sender, held)
    path = f"/v1/submissions/{submission}/withdrawal"
    assert stand.client.post(path, headers=sender.headers).get_json()["state"] == "withdrawn"
    assert remembered(stand, submission) == 0
    assert asked(stand, same_child(held, sex="M")) == {}

    replaced = missing(child(sex="F"))
    first, package = sent(stand, sender, replaced)
    assert remembered(stand, first) == 2
    mended = {kind: rows for kind, rows in replaced.items() if kind != "MISS"}
    mended["CASE"] = [{**replaced["CASE"][0], "sex": "M"}]
    sent(stand, sender, mended, submission_type="REPLACEMENT", replaces=package)
    assert remembered(stand, first) == 0
    assert asked(stand, same_child(replaced, sex="M")) == {}
    assert asked(stand, same_child(replaced, sex="F")) == {"CT-104": 1}


def test_processing_again_remembers_once(stand: Stand) -> None:
    submission, _ = sent(stand, stand.sender(POLICE), missing(child()))
    assert stand.worker.processor.process(submission) is State.STORED
    assert remembered(stand, submission) == 2


def test_the_newest_version_of_a_case_counts(stand: Stand) -> None:
    sender, held = stand.sender(POLICE), child(sex="F")
    sent(stand, sender, held)
    assert asked(stand, same_child(held, sex="M")) == {"CT-104": 1}
    correction = {"CASE": [held["CASE"][0] | {"sex": "M"}]}
    corrected, _ = sent(stand, sender, amended(correction))
    assert asked(stand, same_child(held, sex="M")) == {}
    stand.client.post(f"/v1/submissions/{corrected}/withdrawal", headers=sender.headers)
    assert asked(stand, same_child(held, sex="M")) == {"CT-104": 1}
    sent(stand, sender, amended({"CASE": held["CASE"]}, "DELETE"))
    assert asked(stand, same_child(held, sex="M")) == {}


def test_an_episode_that_ended_is_not_told_of(stand: Stand) -> None:
    sender, held = stand.sender(POLICE), missing(child())
    sent(stand, sender, held)
    assert asked(stand, same_child(held)) == {"CT-106": 1}
    (case,), (episode,) = held["CASE"], held["MISS"]
    found = stories.miss(case_id=case["record_id"], record_id=episode["record_id"])
    sent(stand, sender, amended({"MISS": [found]}))
    assert asked(stand, same_child(held)) == {}


def test_an_episode_may_be_sent_later_than_its_case(stand: Stand) -> None:
    sender, held = stand.sender(POLICE), child()
    sent(stand, sender, held)
    sent(stand, sender, {"MISS": missing(held)["MISS"]})
    assert asked(stand, same_child(held)) == {"CT-106": 1}


def test_a_new_year_keeps_the_tokens_of_the_old_one_and_a_correction_does_not(
    stand: Stand,
) -> None:
    sender, held = stand.sender(POLICE), missing(child())
    sent(stand, sender, held)
    next_year = held["CASE"][0] | {"link_scheme": "CTL1-2027"}
    next_year |= fresh_tokens("lt_name_dob", "lt_nrm")
    sent(stand, sender, amended({"CASE": [next_year]}), link_scheme="CTL1-2027")
    for known in (held, {**held, "CASE": [next_year]}):
        assert asked(stand, same_child(known)) == {"CT-106": 1}

    corrected = next_year | fresh_tokens("lt_name_dob", "lt_nrm")
    sent(stand, sender, amended({"CASE": [corrected]}), link_scheme="CTL1-2027")
    assert asked(stand, same_child({**held, "CASE": [next_year]})) == {}
    assert asked(stand, same_child({**held, "CASE": [corrected]})) == {"CT-106": 1}


def test_bulk_and_row_by_row_are_told_the_same_by_the_database(stand: Stand) -> None:
    held = [missing(child(sex="F")) for _ in range(30)]
    sent(stand, stand.sender(POLICE), together(held))
    mine = [same_child(each, sex="M" if at % 3 else "F") for at, each in enumerate(held)]
    asks = stand.sender(OTHER_POLICE)
    data = asks.package(together(mine)).data
    with stand.database.transaction() as session:
        received = find_submission(session, sent(stand, asks, child())[0])
    assert received is not None
    reports = [
        validate(
            BytesIO(data),
            standards=load_standards(),
            received_on=received.received_at.date(),
            history=DatabaseHistory(
                stand.database, stand.worker.linkage, received, stands=lambda _: True
            ),
            make_rows=way,
        ).report
        for way in (Rows, BulkRows)
    ]
    assert reports[0] == reports[1]
    assert (reports[0].totals["CT-104"], reports[0].totals["CT-106"]) == (20, 30)


# Totals.

QUARTERS = {
    1: {"period_start": "2026-01-01", "period_end": "2026-03-31"},
    2: {"period_start": "2026-04-01", "period_end": "2026-06-30"},
}


def counted(stand: Stand, quarter: int, number: int, **changed: object) -> UUID:
    """A return of the council that counts so many referrals."""
    row = stories.actv(count=str(number), area="E10000019", **QUARTERS[quarter])
    sign_off = {"role": "Head of Safeguarding", "date": "2026-07-09"}
    period = {**QUARTERS[quarter], "sign_off": sign_off}
    submission, _ = sent(stand, stand.sender(COUNCIL), {"ACTV": [row]}, **period, **changed)
    assert stand.state(submission) is State.STORED
    return submission


def jumps(stand: Stand, submission: UUID) -> int:
    found: dict[str, int] = stand.report(stand.sender(COUNCIL), submission)["totals"]
    return found.get("CT-094", 0)


def test_a_total_is_compared_with_the_one_before(stand: Stand) -> None:
    first = counted(stand, 1, 40)
    assert jumps(stand, first) == 0
    assert jumps(stand, counted(stand, 2, 50)) == 0
    assert jumps(stand, counted(stand, 2, 90)) == 1
    assert jumps(stand, counted(stand, 2, 90, submission_type="TEST")) == 1
    stand.client.post(f"/v1/submissions/{first}/withdrawal", headers=stand.sender(COUNCIL).headers)
    assert jumps(stand, counted(stand, 2, 90)) == 0


# The pepper, and time.


def test_another_pepper_is_refused_and_not_taken_for_a_new_beginning(stand: Stand) -> None:
    stand.worker.linkage.require_same_pepper()
    stand.worker.linkage.require_same_pepper()
    other = Pepper(token_bytes(32), random_bytes=token_bytes)
    with pytest.raises(SettingsRefused, match="another pepper"):
        Linkage(stand.database, other, clock=lambda: datetime.now(UTC)).require_same_pepper()


def test_a_worker_with_another_pepper_does_not_start(stand: Stand, tmp_path: Path) -> None:
    stand.worker.linkage.require_same_pepper()
    other = tmp_path / "linkage.pepper"
    other.write_text(token_bytes(32).hex())
    other.chmod(0o600)
    ended = subprocess.run(
        [sys.executable, "-m", "gateway", "worker"],
        env={**os.environ, **stand.environ, "LINKAGE_PEPPER_FILE": str(other)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "LINKAGE_PEPPER_FILE holds another pepper" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("process", [each for each in Process if each is not Process.WORKER])
def test_only_a_worker_is_given_the_pepper(stand: Stand, process: Process) -> None:
    assert Settings.load(stand.environ, process).linkage_pepper_file is None
    without = {name: value for name, value in stand.environ.items() if "PEPPER" not in name}
    Settings.load(without, process)
    with pytest.raises(SettingsRefused, match="LINKAGE_PEPPER_FILE is not set"):
        Settings.load(without, Process.WORKER)


@pytest.mark.parametrize(
    ("content", "mode", "fault"),
    [
        ("00" * 32, 0o640, "chmod 600"),
        ("00" * 31, 0o600, "64 hexadecimal"),
        ("zz", 0o400, "64 hex"),
    ],
)
def test_a_pepper_that_others_may_read_or_that_is_none_is_refused(
    stand: Stand, tmp_path: Path, content: str, mode: int, fault: str
) -> None:
    file = tmp_path / "linkage.pepper"
    file.write_text(content)
    file.chmod(mode)
    environ = {**stand.environ, "LINKAGE_PEPPER_FILE": str(file)}
    with pytest.raises(SettingsRefused, match=fault):
        worker_services(Settings.load(environ, Process.WORKER))


def test_after_24_months_nothing_is_told_and_nothing_is_left(stand: Stand) -> None:
    held = missing(child())
    submission, _ = sent(stand, stand.sender(POLICE), held)
    tokens = [[(name, held["CASE"][0][name]) for name in ("lt_name_dob", "lt_nrm")]]
    pepper = Pepper(secret_pepper(stand), random_bytes=token_bytes)
    end, hour = datetime.now(UTC) + REMEMBERED_FOR, timedelta(hours=1)
    almost = Linkage(stand.database, pepper, clock=lambda: end - hour)
    after = Linkage(stand.database, pepper, clock=lambda: end + hour)
    assert [len(each) for each in almost.linked_cases(OTHER_POLICE, tokens)] == [1]
    assert [len(each) for each in after.linked_cases(OTHER_POLICE, tokens)] == [0]
    assert forget_links(stand.worker) == 0
    assert remembered(stand, submission) == 2
    assert after.forget_old() >= 2
    assert remembered(stand, submission) == 0
