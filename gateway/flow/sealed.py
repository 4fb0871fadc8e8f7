"""What goes into the vault: the accepted records and where they came from, as one archive.

    manifest.json    the agency's own signed manifest, as it was sent
    accepted.json    what the gateway judged: submission, standard, verdict, counts
    <TYPE>.jsonl     the accepted records, one JSON object a line, typed
    attachments/     the files that came with them, as they were sent

Rows that went back to the agency are not in it, and no linkage token as it was received.
"""

from collections.abc import Callable, Iterable
from shutil import copyfileobj
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import rfc8785

from crypto import Scratch
from gateway.records import Submission
from validators.accepted import AcceptedRows
from validators.run import Outcome

Lines = Callable[[str, AcceptedRows], Iterable[bytes]]
"""The lines that are kept of the accepted rows of a type."""


def write_sealed_archive(
    submission: Submission, outcome: Outcome, sink: Scratch, *, lines: Lines
) -> None:
    """Write the archive, row by row."""
    with ZipFile(sink, "w", ZIP_DEFLATED) as bundle:
        if outcome.manifest is not None:
            bundle.writestr(_entry("manifest.json"), rfc8785.dumps(dict(outcome.manifest.raw)))
        bundle.writestr(_entry("accepted.json"), rfc8785.dumps(_accepted(submission, outcome)))
        for record_type, records in sorted(outcome.accepted.items()):
            # ZIP64, as nobody knows the size before the last row.
            with bundle.open(_entry(f"{record_type}.jsonl"), "w", force_zip64=True) as entry:
                for line in lines(record_type, records):
                    entry.write(line)
        for name in outcome.attachments:
            with (
                outcome.package.open(name) as attachment,
                bundle.open(_entry(name), "w", force_zip64=True) as entry,
            ):
                copyfileobj(attachment, entry)


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


def _entry(name: str) -> ZipInfo:
    # A fixed time keeps the archive a function of its content.
    entry = ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = ZIP_DEFLATED
    return entry
