"""What lies ready for an agency: of each submission its receipt and its report, as files.

The same as over HTTPS, told by the same functions; here each has a name and a size before anybody
reads it. Listing is no reading: only who takes a paper makes an entry of the log.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.errors import NotReady
from gateway.flow.proofs import LogReading
from gateway.flow.submissions import LogPlace, Submissions
from gateway.records import Principal, Submission
from gateway.store.database import Database
from gateway.store.log import leaf_index, pending_entry
from gateway.store.objects import Bucket, ObjectStore
from gateway.store.submissions import list_submissions
from validators.report import Report, render_text

NEWEST = 100
"""Submissions whose papers are laid out; older ones are reached over HTTPS."""

RECEIPT, REPORT, FULL = "receipt.tlog-proof", "report.txt", "report.pgp"


@dataclass(frozen=True, slots=True)
class Paper:
    """A file that lies ready; `content` is None where it is fetched when it is read."""

    name: str
    submission_id: UUID
    kind: str
    size: int
    at: datetime
    content: bytes | None


class Papers:
    """Lays out, and hands over."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        submissions: Submissions,
        proofs: LogReading,
    ) -> None:
        self._database = database
        self._objects = objects
        self._submissions = submissions
        self._proofs = proofs

    def lay_out(self, *, by: Principal, known: dict[str, Paper]) -> dict[str, Paper]:
        """The papers of the newest submissions by name; those known before stay as they were."""
        with self._database.transaction() as session:
            found = list_submissions(session, by.agency, before=None, limit=NEWEST)
        laid: dict[str, Paper] = {}
        for submission in found:
            for kind in (RECEIPT, REPORT, FULL):
                name = f"{submission.received_at:%Y-%m-%d}_{submission.id}.{kind}"
                paper = known.get(name) or self._paper(name, submission, kind)
                if paper is not None:
                    laid[name] = paper
        return laid

    def take(self, paper: Paper, *, by: Principal) -> bytes:
        """What is written on a paper; the reading is in the log before it is handed over."""
        if paper.kind == FULL:
            return b"".join(self._submissions.full_report(paper.submission_id, by=by))
        if paper.kind == REPORT:
            self._submissions.report(paper.submission_id, by=by)
        else:
            self._submissions.receipt(paper.submission_id, by=by)
        return paper.content or b""

    def _paper(self, name: str, submission: Submission, kind: str) -> Paper | None:
        at = submission.settled_at or submission.received_at
        if kind == FULL:
            if submission.report_key is None:
                return None
            size = self._objects.size(Bucket.REPORTS, submission.report_key)
            return Paper(name, submission.id, kind, size, at, None)
        if kind == REPORT:
            content = None if submission.report is None else _told(submission.report)
        else:
            content, at = self._receipt(submission), submission.received_at
        if content is None:
            return None
        return Paper(name, submission.id, kind, len(content), at, content)

    def _receipt(self, submission: Submission) -> bytes | None:
        with self._database.transaction() as session:
            entry = pending_entry(session, submission.event_id)
            index = leaf_index(session, submission.event_id)
        if entry is None:
            return None
        try:
            return self._proofs.receipt(LogPlace(entry, index)).encode()
        except NotReady:
            return None


def _told(report: dict[str, object]) -> bytes:
    refusal = report.get("refusal")
    if isinstance(refusal, dict):
        told = f"Rejected ({refusal['code']}): {refusal['message']}\n{refusal['mend']}\n"
        return told.encode()
    return render_text(Report.from_dict(report)).encode()
