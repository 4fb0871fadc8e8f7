"""Children whom two agencies know: their records, what is told of them, what is left of them."""

import json
from base64 import b64encode
from secrets import token_hex
from typing import Any
from uuid import UUID

from sqlalchemy import text

from gateway.records import State
from tests.gateway.stand import OTHER_POLICE, Sender, Stand, fresh
from tests.gateway.test_held_records import Records, sent
from tests.validators import samples, stories

LINKED = ("CT-104", "CT-105", "CT-106")
TOKENS = ("lt_name_dob", "lt_tokens_dob", "lt_phon_yob", "lt_nrm", "lt_upn", "lt_ho_ref")
FILTER = b64encode(bytes.fromhex("a5" * 128)).decode()
"""A Bloom filter with as many bits as the tool sets."""


def child(**changed: str) -> Records:
    """A case of one child, with a situation and a decision, whose tokens nobody else has."""
    records = samples.children(1, seed=fresh())
    records["CASE"][0] |= changed
    return records


def same_child(records: Records, *names: str, **changed: str) -> Records:
    """Another agency's case that shares these tokens, else all of them, and differs in nothing."""
    other = samples.children(1, seed=fresh())
    case, new = records["CASE"][0], other["CASE"][0]
    own = {name: new[name] for name in ("record_id", "person_ref", *TOKENS) if name in new}
    shared = names or TOKENS
    other["CASE"][0] = case | own | {name: case[name] for name in shared if name in case} | changed
    other["DECN"][0]["decision_date"] = records["DECN"][0]["decision_date"]
    return other


def missing(records: Records, **changed: str) -> Records:
    """The records, and an open missing episode."""
    case_id = records["CASE"][0]["record_id"]
    still = {"end_date": "", "outcome": "STILL_MISSING"}
    still |= {"return_interview": "", "found_in_exploitation": ""}
    return records | {"MISS": [stories.miss(case_id=case_id, **still, **changed)]}


def told(stand: Stand, sender: Sender, submission: UUID) -> dict[str, int]:
    """How often each rule about other agencies' cases spoke."""
    found = stand.report(sender, submission)["totals"]
    return {rule: number for rule, number in found.items() if rule in LINKED}


def asked(stand: Stand, records: Records, **changed: object) -> dict[str, int]:
    """What the second agency is told of the child that it sends."""
    sender = stand.sender(OTHER_POLICE)
    submission, _ = sent(stand, sender, records, **changed)
    assert stand.state(submission) is State.STORED
    return told(stand, sender, submission)


def fresh_tokens(*names: str) -> dict[str, str]:
    """Tokens that no other case has."""
    return {name: token_hex(32) for name in names or TOKENS}


def secret_pepper(stand: Stand) -> bytes:
    """The gateway's pepper, which only a worker reads."""
    return bytes.fromhex((stand.keys.folder / "linkage.pepper").read_text())


def together(each_child: list[Records]) -> Records:
    """The records of several children in one package."""
    return {kind: [row for one in each_child for row in one[kind]] for kind in each_child[0]}


def sealed_cases(stand: Stand, submission: UUID) -> list[dict[str, Any]]:
    """The cases that the vault holds of a submission."""
    lines = stand.unsealed(submission)["CASE.jsonl"].splitlines()
    return [json.loads(line) for line in lines]


def remembered(stand: Stand, submission: UUID) -> int:
    """How many records of a submission are remembered; tokens go with them."""
    query = text("SELECT count(*) FROM remembered_record WHERE submission_id = :id")
    tokens = text("SELECT count(*) FROM linkage_token WHERE submission_id = :id")
    with stand.database.transaction() as session:
        found: int = session.execute(query, {"id": submission}).scalar_one()
        assert found or not session.execute(tokens, {"id": submission}).scalar_one()
    return found
