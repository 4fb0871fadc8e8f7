"""What goes into the vault: the accepted records and where they came from, as one archive.

    manifest.json    the agency's own signed manifest, as it was sent
    accepted.json    what the gateway judged: submission, standard, verdict, counts
    <TYPE>.jsonl     the accepted records, one JSON object a line, typed

Rows that went back to the agency are not in it.
"""

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import rfc8785

from gateway.records import Submission
from validators.run import Outcome


def sealed_archive(submission: Submission, outcome: Outcome) -> BytesIO:
    """The archive in memory, at its start, ready to be sealed."""
    archive = BytesIO()
    with ZipFile(archive, "w", ZIP_DEFLATED) as bundle:
        if outcome.manifest is not None:
            _add(bundle, "manifest.json", rfc8785.dumps(dict(outcome.manifest.raw)))
        _add(bundle, "accepted.json", rfc8785.dumps(_accepted(submission, outcome)))
        for record_type, records in sorted(outcome.accepted.items()):
            _add(bundle, f"{record_type}.jsonl", _lines(records))
    archive.seek(0)
    return archive


def sealed_context(submission: Submission) -> str:
    """The name that binds a sealed object to its submission."""
    return f"ctds-submission-{submission.id}.zip"


def _accepted(submission: Submission, outcome: Outcome) -> dict[str, Any]:
    return {
        "v": 1,
        "submission": str(submission.id),
        "agency_id": submission.agency_id,
        "received_at": submission.received_at.isoformat(),
        "ciphertext_sha256": submission.sha256,
        "standard": outcome.report.standard,
        "verdict": str(outcome.report.verdict),
        "records": {name: len(records) for name, records in outcome.accepted.items()},
    }


def _lines(records: Sequence[Mapping[str, Any]]) -> bytes:
    return b"".join(
        json.dumps(record, ensure_ascii=False, sort_keys=True, default=str).encode() + b"\n"
        for record in records
    )


def _add(bundle: ZipFile, name: str, data: bytes) -> None:
    # A fixed time keeps the archive a function of its content.
    entry = ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = ZIP_DEFLATED
    bundle.writestr(entry, data)
