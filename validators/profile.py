"""What an agency says of itself in every manifest, and what of that a check needs.

Owns the facts that stand in `agency.toml` and a quarter, made into keys of a manifest, and says
what is wrong with them. Which values a manifest may have is for `manifestschema`.

    ValidatorsError
    └── FactsRefused        code "facts-refused": no manifest follows from them; has a `mend`
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from validators.building import unsigned
from validators.errors import ValidatorsError
from validators.manifestschema import ManifestSchema, faults_of
from validators.standard import Agency, Standard

Period = tuple[date, date]
"""The first and the last day of a quarter."""

_REST = {
    "standard": "CTDS",
    "submission_id": "00000000-0000-4000-8000-000000000000",
    "submission_type": "RETURN",
    "created_at": "2026-01-01T00:00:00Z",
    "nil_return": True,
    "record_counts": {},
    "files": [],
    "signature": unsigned(b""),
}
"""What a manifest says that is no fact of the agency's; here it only has to be right."""

_QUARTER = re.compile(r"(20[0-9]{2})Q([1-4])")
_VOLUNTARY = frozenset({"NGO", "GUARD"})


class FactsRefused(ValidatorsError):
    """The agency is not on the register, the quarter is none, or no manifest may say this."""

    code = "facts-refused"

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend


def manifest_fields(
    profile: Mapping[str, Any], period: Period, *, standard: Standard, today: date
) -> dict[str, Any]:
    """Return the keys of a manifest that only the agency knows; raises FactsRefused."""
    agency = agency_of(profile, standard=standard)
    _require_coverage(profile.get("coverage"))
    start, end = period
    fields = {
        "agency_type": agency.agency_type,
        "period_type": "QUARTER",
        "period_start": start.isoformat(),
        "period_end": end.isoformat(),
        **profile,
        "sign_off": _signed_off(profile.get("sign_off"), today),
    }
    _require_what_a_manifest_may_say(fields, profile, standard=standard)
    return fields


def _signed_off(given: object, today: date) -> object:
    return {"date": today.isoformat(), **given} if isinstance(given, Mapping) else given


def _require_what_a_manifest_may_say(
    fields: Mapping[str, Any], profile: Mapping[str, Any], *, standard: Standard
) -> None:
    """Say of the profile, which the agency knows, what would be said of a manifest it never saw."""
    schema = ManifestSchema(standard)
    unknown = [key for key in profile if key in _REST or key not in schema.fields]
    faults = [f"{key} is not a key of a profile" for key in unknown]
    known = {key: value for key, value in fields.items() if key not in unknown}
    faults += faults_of(schema, {**_REST, "standard_version": standard.version, **known})
    if faults:
        raise FactsRefused(
            f"{'; '.join(faults)}.",
            "Correct the profile; `gateway package --example-profile` prints one that is right.",
        )


def _require_coverage(coverage: object) -> None:
    """Of all that a manifest refuses this alone is a mistake that a form would let through."""
    if not isinstance(coverage, Mapping):
        return
    expected, reporting = coverage.get("units_expected"), coverage.get("units_reporting")
    if isinstance(expected, int) and isinstance(reporting, int) and reporting > expected:
        raise FactsRefused(
            f"units_reporting is {reporting}, and more than units_expected, which is {expected}.",
            "units_expected are all your offices or teams that should report; units_reporting are "
            "those of them whose data is in this return.",
        )


def agency_of(profile: Mapping[str, Any], *, standard: Standard) -> Agency:
    """Return the agency of a profile, as the register has it; raises FactsRefused."""
    agency = standard.agencies.get(str(profile.get("agency_id")))
    if agency is None:
        raise FactsRefused(
            "agency_id is not in the register of the standard.",
            "Look the id up in the register: `gateway standard show CL_AGENCY`.",
        )
    return agency


def stand_in(agency_id: str, *, standard: Standard) -> dict[str, Any]:
    """Return a profile for whoever wants records checked and has no profile at hand.

    Nothing in it but the agency has a bearing on records; the rest is what any manifest may say.
    """
    agency = standard.agencies.get(agency_id)
    voluntary = agency is not None and agency.agency_type in _VOLUNTARY
    return {
        "agency_id": agency_id,
        "lawful_basis": "LEGITIMATE_INTEREST" if voluntary else "PUBLIC_TASK",
        "link_scheme": "NONE",
        "contact": {"role": "none", "team": "none", "mailbox": "none@none.gov.uk"},
        "sign_off": {"role": "none"},
        "coverage": {"units_expected": 1, "units_reporting": 1},
    }


def quarter(text: str) -> Period:
    """Return the first and last day of a quarter such as 2026Q1; raises FactsRefused."""
    found = _QUARTER.fullmatch(text)
    if found is None:
        raise FactsRefused(f"{text} is not a quarter.", "Write it as year and quarter: 2026Q1.")
    year, first = int(found[1]), 3 * int(found[2]) - 2
    following = date(year + first // 10, (first + 2) % 12 + 1, 1)
    return date(year, first, 1), following - timedelta(days=1)
