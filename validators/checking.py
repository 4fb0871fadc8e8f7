"""A return checked before it is sent: what the gateway would say, at the agency and offline.

Takes a package that is not encrypted yet, or bare record files with the facts that make a package
of them. The command and the page in a browser (`browser`) both ask here, so that they never differ.
What only the gateway knows stays open: what was sent before, and the signature.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from io import BytesIO
from pathlib import PurePath
from typing import Any
from uuid import UUID

from validators.building import BuiltPackage, GivenFile, Sign, build_package, unsigned
from validators.profile import Period, manifest_fields
from validators.report import Report
from validators.rows import Rows
from validators.run import NoHistory, validate
from validators.standard import load_standard, load_standards

_PACKAGE = frozenset({".zip", ""})


@dataclass(frozen=True, slots=True)
class Facts:
    """What only the agency knows of a return; `further` are keys of the manifest."""

    profile: Mapping[str, Any]
    period: Period
    further: Mapping[str, Any]


def is_package(name: str) -> bool:
    """Tell whether a file is meant as a package: by its name, as workbooks are ZIP archives too."""
    return PurePath(name).suffix.lower() in _PACKAGE


def pack(
    files: Sequence[GivenFile], facts: Facts, *, sign: Sign, now: datetime, submission_id: UUID
) -> BuiltPackage:
    """Return a package of files as they are; raises FactsRefused and what `build_package` does."""
    fields = manifest_fields(
        facts.profile, facts.period, standard=load_standard(), today=now.date()
    )
    return build_package(
        files, {**fields, **facts.further}, sign=sign, now=now, submission_id=submission_id
    )


def check_files(
    files: Sequence[GivenFile],
    facts: Facts,
    *,
    now: datetime,
    submission_id: UUID,
    make_rows: type[Rows] = Rows,
) -> Report:
    """Report on record files that are no package yet; raises what `pack` and `check_package` do.

    The report names no package: nobody could refer to the one that was made to ask.
    """
    built = pack(files, facts, sign=unsigned, now=now, submission_id=submission_id)
    report = check_package(built.data, today=now.date(), make_rows=make_rows)
    return replace(report, submission_id=None)


def check_package(package: bytes, *, today: date, make_rows: type[Rows] = Rows) -> Report:
    """Report on a package; raises PackageRefused where it cannot be opened safely."""
    outcome = validate(
        BytesIO(package),
        standards=load_standards(),
        received_on=today,
        history=NoHistory(),
        make_rows=make_rows,
    )
    return replace(outcome.report, sent=False)
