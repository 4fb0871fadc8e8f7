"""What an agency says of itself in every manifest, kept in one TOML file: nobody retypes it."""

import re
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from gateway.cli.failures import USAGE, Failure
from validators.standard import Standard

EXAMPLE_AGENCY = "LA-E08000035"
EXAMPLE = f"""\
agency_id = "{EXAMPLE_AGENCY}"
lawful_basis = "PUBLIC_TASK"
link_scheme = "CTL1-2026"

[contact]
role = "Data officer"
team = "Safeguarding data"
mailbox = "data@leeds.gov.uk"

[sign_off]
role = "Head of Safeguarding"

[coverage]
units_expected = 1
units_reporting = 1
known_gaps = ""
"""
"""A profile to begin with, and whose it is: the example of `gateway template` is theirs, too."""

QUARTER = re.compile(r"(20[0-9]{2})Q([1-4])")


def manifest_fields(
    profile: Path, period: str, *, standard: Standard, today: date
) -> dict[str, Any]:
    """The keys of a manifest that only the agency knows, for one quarter such as 2026Q1."""
    given = _read(profile)
    agency = standard.agencies.get(str(given.get("agency_id")))
    if agency is None:
        raise Failure(
            f"{profile}: agency_id is not in the register of the standard.",
            "Look the id up in CL_AGENCY (GET /v1/standards/1.0/codelists/CL_AGENCY).",
            status=USAGE,
        )
    start, end = quarter(period)
    return {
        "agency_type": agency.agency_type,
        "period_type": "QUARTER",
        "period_start": start.isoformat(),
        "period_end": end.isoformat(),
        **given,
        "sign_off": {"date": today.isoformat(), **given.get("sign_off", {})},
    }


def quarter(text: str) -> tuple[date, date]:
    """The first and last day of a quarter such as 2026Q1."""
    found = QUARTER.fullmatch(text)
    if found is None:
        raise Failure(
            f"{text} is not a quarter.", "Write it as year and quarter: 2026Q1.", status=USAGE
        )
    year, first = int(found[1]), 3 * int(found[2]) - 2
    following = date(year + first // 10, (first + 2) % 12 + 1, 1)
    return date(year, first, 1), following - timedelta(days=1)


def _read(profile: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(profile.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failure(f"{profile}: {error}.", "Mend the file; it is TOML.", status=USAGE) from error
