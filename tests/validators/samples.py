"""Invented children: valid CASE, EXPL and DECN rows, and the packages made of them.

Nothing here is or resembles a real person: ids, pseudonyms and tokens are random, drawn from a seed
so that every run sees the same children. Used by the tests and by the demonstration.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from validators.building import BuiltPackage, Rows, build_package
from validators.standard import Standard

AGENCY_ID = "POL-E23000020"
PERIOD = (date(2026, 1, 1), date(2026, 3, 31))
RECEIVED_ON = date(2026, 4, 10)
NOW = datetime(2026, 4, 9, 10, 30, tzinfo=UTC)

_ARMOR = "-----BEGIN PGP SIGNATURE-----\n\naW52ZW50ZWQ=\n-----END PGP SIGNATURE-----\n"
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
        "nrm_first_responder": AGENCY_ID,
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


def manifest_fields(standard: Standard, agency_id: str = AGENCY_ID) -> dict[str, Any]:
    """The keys of a manifest that only the agency knows."""
    agency = standard.agencies[agency_id]
    voluntary = agency.agency_type in {"NGO", "GUARD"}
    return {
        "agency_id": agency_id,
        "agency_type": agency.agency_type,
        "period_type": "QUARTER",
        "period_start": PERIOD[0].isoformat(),
        "period_end": PERIOD[1].isoformat(),
        "link_scheme": "CTL1-2026",
        "contact": {
            "role": "Data officer",
            "team": "Safeguarding data",
            "mailbox": "data@agency.example.org" if voluntary else "data@agency.gov.uk",
        },
        "sign_off": {"role": "Head of Safeguarding", "date": "2026-04-09"},
        "coverage": {"units_expected": 1, "units_reporting": 1, "known_gaps": ""},
        "lawful_basis": "LEGITIMATE_INTEREST" if voluntary else "PUBLIC_TASK",
    }


def unsigned(_canonical: bytes) -> str:
    """Stands in for a signature where nobody verifies it."""
    return _ARMOR


def package(
    standard: Standard, records: Mapping[str, Rows], *, seed: int = 9, **changed: object
) -> BuiltPackage:
    """A package of these records by the sample agency, or by the one named in `changed`."""
    agency_id = str(changed.get("agency_id", AGENCY_ID))
    fields = manifest_fields(standard, agency_id) | changed
    return package_of(records, fields, seed=seed)


def package_of(
    records: Path | Mapping[str, Rows], fields: Mapping[str, object], *, seed: int = 9
) -> BuiltPackage:
    """A package with exactly these manifest fields."""
    return build_package(records, fields, sign=unsigned, now=NOW, submission_id=uuid4(rng(seed)))


def built_from_files(standard: Standard, files: Mapping[str, bytes]) -> BuiltPackage:
    """A package of record files as they are, good or bad."""
    with TemporaryDirectory() as folder:
        for name, data in files.items():
            Path(folder, name).write_bytes(data)
        return package_of(Path(folder), manifest_fields(standard))
