"""Published counts of the Home Office, sent as the agencies would send them.

Not invented: every number is one that was really published, so an identifier pattern that takes a
code for a phone number, or a rule that real returns break, shows here.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.validators import samples
from validators.areas import own_area
from validators.building import BuiltPackage
from validators.run import NoHistory, Outcome, validate
from validators.standard import load_standard, load_standards

STANDARD = load_standard()
COUNTS = Path(__file__).parents[2] / "deploy/demo/data/nrm_activity_2022q2_2023q3.csv"
QUARTER = ("agency_id", "period_start", "period_end")


def returns() -> Iterator[tuple[tuple[str, ...], list[dict[str, str]]]]:
    """The published rows by agency and quarter."""

    def quarter(row: dict[str, str]) -> tuple[str, ...]:
        return tuple(row[name] for name in QUARTER)

    with COUNTS.open(encoding="utf-8", newline="") as table:
        rows = sorted(csv.DictReader(table), key=quarter)
    for key, group in groupby(rows, quarter):
        yield key, list(group)


def package(key: tuple[str, ...], rows: list[dict[str, str]]) -> BuiltPackage:
    agency_id, start, end = key
    agency = STANDARD.agencies.get(agency_id)
    area = "UK" if agency is None else own_area(agency)
    source = samples.rng(len("".join(key)))
    fields = samples.manifest_fields(STANDARD, agency_id if agency else samples.AGENCY_ID) | {
        "agency_id": agency_id,
        "period_start": start,
        "period_end": end,
    }
    records = [_record(row, area, str(samples.uuid4(source))) for row in rows]
    return samples.package_of({"ACTV": records}, fields)


def _record(row: dict[str, str], area: str, record_id: str) -> dict[str, Any]:
    sent = {name: value for name, value in row.items() if name != "agency_id"}
    return {**sent, "area": area, "record_id": record_id}


def judged(built: BuiltPackage) -> Outcome:
    return validate(
        io.BytesIO(built.data),
        standards=load_standards(),
        received_on=date(2023, 11, 2),
        history=NoHistory(),
    )


@pytest.fixture(scope="module")
def outcomes() -> dict[tuple[str, ...], Outcome]:
    return {key: judged(package(key, rows)) for key, rows in returns()}


def test_every_count_of_a_registered_agency_is_accepted(
    outcomes: dict[tuple[str, ...], Outcome],
) -> None:
    accepted = {key: out for key, out in outcomes.items() if key[0] in STANDARD.agencies}
    # The source publishes referrals by group alone: what else an agency counts is missed, once.
    expected = {"CT-097": 1}
    unlike = {
        key: out.report.findings
        for key, out in accepted.items()
        if dict(out.report.totals) != expected
    }
    assert unlike == {}
    assert {out.report.verdict for out in accepted.values()} == {"accepted"}
    rows = [row for out in accepted.values() for row in out.accepted["ACTV"]]
    assert sum(row["count"] for row in rows) == 5_774
    assert len(rows) == 1_242
    assert (len({key[0] for key in accepted}), len(accepted)) == (61, 327)


def test_councils_together_and_nobody_are_not_registered(
    outcomes: dict[tuple[str, ...], Outcome],
) -> None:
    refused = {key[0]: out for key, out in outcomes.items() if key[0] not in STANDARD.agencies}
    assert set(refused) == {"LA-ALL", "nan"}
    for outcome in refused.values():
        assert outcome.report.verdict == "rejected"
        assert dict(outcome.report.totals) == {"CT-003": 1}
        assert outcome.accepted == {}
