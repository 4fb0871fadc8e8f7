"""Packages of invented children, and the one moment and agency they are of."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from deploy.demo.invented import PERIOD, RESPONDER, children, rng, uuid4
from validators.building import BuiltPackage, Rows, build_package, unsigned
from validators.standard import Standard

__all__ = ["PERIOD", "children", "rng", "uuid4"]

AGENCY_ID = RESPONDER
RECEIVED_ON = date(2026, 4, 10)
NOW = datetime(2026, 4, 9, 10, 30, tzinfo=UTC)


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


def built_from_files(
    standard: Standard, files: Mapping[str, bytes], *, agency_id: str = AGENCY_ID
) -> BuiltPackage:
    """A package of record files as they are, good or bad."""
    with TemporaryDirectory() as folder:
        for name, data in files.items():
            Path(folder, name).write_bytes(data)
        return package_of(Path(folder), manifest_fields(standard, agency_id))
