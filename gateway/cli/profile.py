"""The profile of an agency, kept in one TOML file: nobody retypes it."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.cli.failures import USAGE, Failure

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


def read_profile(profile: Path) -> Mapping[str, Any]:
    """What stands in the file; raises Failure for what is no TOML."""
    try:
        return tomllib.loads(profile.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failure(f"{profile}: {error}.", "Mend the file; it is TOML.", status=USAGE) from error
