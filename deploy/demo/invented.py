"""Invented children: valid CASE, EXPL and DECN rows.

Nothing here is or resembles a real person: ids, pseudonyms and tokens are random, drawn from a seed
so that every run sees the same children.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

RESPONDER = "POL-E23000020"
PERIOD = (date(2026, 1, 1), date(2026, 3, 31))

_CHILDREN = (
    # nationality, immigration status, exploitation type, subtype, county lines, movement
    ("GBR", "", "CRIM", "CRIM.DRUG_SUPPLY", "YES", "INTERNAL"),
    ("VNM", "ASY_PENDING", "LAB", "LAB.NAIL", "NO", "INTO_UK"),
    ("ALB", "ASY_PENDING", "CRIM", "CRIM.CANNABIS", "NO", "INTO_UK"),
    ("GBR", "", "SEX", "SEX.CONTACT", "NO", "SAME_LA"),
    ("SDN", "ASY_PENDING", "DOM", "DOM.NONFAMILY", "NO", "INTO_UK"),
)


def rng(seed: int = 1) -> random.Random:
    """A source of the same random numbers in every run."""
    return random.Random(seed)


def uuid4(source: random.Random) -> UUID:
    """A random UUID of version 4 from a seeded source."""
    return UUID(int=source.getrandbits(128), version=4)


def children(count: int, *, seed: int = 1) -> dict[str, list[dict[str, str]]]:
    """CASE, EXPL and DECN rows of `count` children: one case, situation and decision each."""
    source = rng(seed)
    records: dict[str, list[dict[str, str]]] = {"CASE": [], "EXPL": [], "DECN": []}
    for number in range(count):
        kind = _CHILDREN[number % len(_CHILDREN)]
        case = _case(source, kind)
        records["CASE"].append(case)
        records["EXPL"].append(_expl(source, kind, case))
        records["DECN"].append(_decn(source, case))
    return records


def _case(source: random.Random, kind: Sequence[str]) -> dict[str, str]:
    identified = PERIOD[0] + timedelta(days=source.randrange(60))
    referred = identified + timedelta(days=source.randrange(5))
    age = source.randrange(12, 17)
    # Born in the month before the referral's, so that the age is sure whatever the day.
    birth_month = referred.replace(day=1) - timedelta(days=1)
    return {
        "record_id": str(uuid4(source)),
        "record_action": "NEW",
        "person_ref": f"P-{source.getrandbits(64):016x}",
        "link_scheme": "CTL1-2026",
        "lt_name_dob": f"{source.getrandbits(256):064x}",
        "lt_nrm": f"{source.getrandbits(256):064x}",
        "birth_year_month": f"{birth_month.year - age}-{birth_month.month:02}",
        "birth_date_status": "STATED",
        "age_at_referral": str(age),
        "age_dispute_status": "NONE",
        "sex": source.choice("FM"),
        "ethnicity": "NOBT",
        "nationality_1": kind[0],
        "immigration_status": kind[1],
        "uasc": "NO",
        "identification_date": identified.isoformat(),
        "identifying_agency_type": "POLICE",
        "identification_route": "POLICE_OP",
        "nrm_referred": "YES",
        "nrm_referral_date": referred.isoformat(),
        "nrm_first_responder": RESPONDER,
        "competent_authority": "SCA",
        "referral_nation": "E92000001",
        "referral_la": "E10000019",
        "referral_pfa": "E23000020",
        "la_notified_date": identified.isoformat(),
        "re_trafficking": "NO",
        "safeguarding_response": "STRAT;S47",
        "data_confidence": "REASONABLE",
    }


def _expl(source: random.Random, kind: Sequence[str], case: Mapping[str, str]) -> dict[str, str]:
    return {
        "record_id": str(uuid4(source)),
        "record_action": "NEW",
        "case_id": case["record_id"],
        "exploitation_type": kind[2],
        "exploitation_subtype": kind[3],
        "is_primary": "true",
        "county_lines": kind[4],
        "certainty": "REASONABLE",
        "means": "THREAT;DEBT",
        "online_element": "NO",
        "start_date": "2025-11",
        "location_category": "UK",
        "uk_la": "E10000019",
        "movement_type": kind[5],
    }


def _decn(source: random.Random, case: Mapping[str, str]) -> dict[str, str]:
    referred = date.fromisoformat(case["nrm_referral_date"])
    return {
        "record_id": str(uuid4(source)),
        "record_action": "NEW",
        "case_id": case["record_id"],
        "decision_type": "RG",
        "decision_date": (referred + timedelta(days=4)).isoformat(),
        "decision_outcome": "POSITIVE",
        "decision_body": "SCA",
        "is_reconsideration": "false",
    }
