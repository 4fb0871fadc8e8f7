"""What lies ready for an agency: of each submission its promise, receipt and report, as files.

The same as over HTTPS, told by the same functions; here each has a name and a size before anybody
reads it. Listing is no reading: only who takes a paper makes an entry of the log. What became of
each submission is a list too, in one file more, so that reading that makes none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any
from uuid import UUID

from gateway.errors import NotReady
from gateway.flow.dryruns import DryRuns
from gateway.flow.judgement import report_text
from gateway.flow.proofs import LogReading
from gateway.flow.shown import document_text, status_text
from gateway.flow.sizes import Sizes
from gateway.flow.submissions import LogPlace, Submissions, log_place
from gateway.records import DryRun, Principal, Submission
from gateway.store.database import Database
from gateway.store.dryruns import list_dry_runs
from gateway.store.objects import Bucket, ObjectStore, Version
from gateway.store.submissions import list_submissions

NEWEST = 100
"""Submissions, and dry runs, whose papers are laid out; older ones are reached over HTTPS."""

PROMISE, RECEIPT = "promise", "receipt.tlog-proof"
REPORT, MACHINE, FULL = "report.txt", "report.json", "report.pgp"
STATUS = "status.json"
"""The one paper that is about all of them, and is written anew each time."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A file that lies ready; `content` is None where it is fetched or made when it is read.

    Sessions keep papers for as long as they last, so that large ones are not kept with them.
    """

    name: str
    about: UUID | None
    tried_out: bool
    kind: str
    size: int
    at: datetime
    content: bytes | None = None


class Papers:
    """Lays out, and hands over."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        submissions: Submissions,
        dry_runs: DryRuns,
        proofs: LogReading,
    ) -> None:
        self._database = database
        self._objects = objects
        self._submissions = submissions
        self._dry_runs = dry_runs
        self._proofs = proofs
        self._sizes = Sizes()

    def status(self, *, by: Principal) -> Paper | None:
        """What became of the newest, as it is now; None where nothing was sent yet."""
        return _status(*self._newest(by))

    def lay_out(self, *, by: Principal, known: dict[str, Paper]) -> dict[str, Paper]:
        """The papers of the newest by their names; those known before stay as they were."""
        submissions, dry_runs = self._newest(by)
        found: list[Submission | DryRun] = [*submissions, *dry_runs]
        status, laid = _status(submissions, dry_runs), dict[str, Paper]()
        if status is not None:
            laid[status.name] = status
        for each in found:
            # Asked at most once, and only where a paper is new.
            place = cache(partial(self._place, each))
            for kind in (PROMISE, RECEIPT, REPORT, MACHINE, FULL):
                name = paper_name(each, kind)
                paper = known.get(name) or self._paper(name, each, kind, place)
                if paper is not None:
                    laid[name] = paper
        return laid

    def take(self, paper: Paper, *, by: Principal) -> bytes | Version:
        """What is written on a paper; the reading is in the log before it is handed over.

        A report with values is read in pieces, by `piece`.
        """
        if paper.about is None:
            return paper.content or b""
        where: Submissions | DryRuns = self._dry_runs if paper.tried_out else self._submissions
        if paper.kind == FULL:
            return where.open_full_report(paper.about, by=by)
        if paper.kind in _REPORTS:
            report = where.report(paper.about, by=by).report
            return _REPORTS[paper.kind](report or {}).encode()
        self._submissions.receipt(paper.about, by=by)
        return paper.content or b""

    def forget(self, paper: Paper) -> None:
        """Find out anew how large a report is."""
        if paper.about is not None:
            self._sizes.forget(paper.about, paper.kind)

    def piece(self, version: Version, offset: int, size: int) -> bytes:
        """Octets of a report that was taken."""
        return self._objects.piece(version, offset, size)

    def _newest(self, by: Principal) -> tuple[list[Submission], list[DryRun]]:
        with self._database.transaction() as session:
            submissions = list_submissions(session, by.agency, before=None, limit=NEWEST)
            return submissions, list_dry_runs(session, by.agency, before=None, limit=NEWEST)

    def _paper(
        self,
        name: str,
        each: Submission | DryRun,
        kind: str,
        place: Callable[[], LogPlace | None],
    ) -> Paper | None:
        tried_out, at = isinstance(each, DryRun), each.settled_at or each.received_at
        if kind == FULL or kind in _REPORTS:
            measure = self._measure(each, kind)
            if measure is None:
                return None
            size = self._sizes.of(each.id, kind, measure)
            return Paper(name, each.id, tried_out, kind, size, at)
        content, at = self._proof(kind, place()), each.received_at
        if content is None:
            return None
        return Paper(name, each.id, tried_out, kind, len(content), at, content)

    def _measure(self, each: Submission | DryRun, kind: str) -> Callable[[], int] | None:
        """How to find out how large a report is; None where there is none."""
        if kind == FULL:
            key = each.report_key
            return None if key is None else partial(self._objects.size, Bucket.REPORTS, key)
        report, render = each.report, _REPORTS[kind]
        return None if report is None else lambda: len(render(report).encode())

    def _place(self, each: Submission | DryRun) -> LogPlace | None:
        """Where the log has its entry; of a dry run nothing is proven."""
        if isinstance(each, DryRun):
            return None
        with self._database.transaction() as session:
            return log_place(session, each)

    def _proof(self, kind: str, place: LogPlace | None) -> bytes | None:
        if place is None:
            return None
        if kind == PROMISE:
            return self._proofs.promise(place.entry).encode()
        try:
            return self._proofs.receipt(place).encode()
        except NotReady:
            return None


def _status(submissions: Sequence[Submission], dry_runs: Sequence[DryRun]) -> Paper | None:
    moments = [each.settled_at or each.received_at for each in submissions]
    moments += [each.settled_at or each.received_at for each in dry_runs]
    if not moments:
        return None
    content = status_text(submissions, dry_runs).encode()
    return Paper(
        STATUS,
        about=None,
        tried_out=False,
        kind=STATUS,
        size=len(content),
        at=max(moments),
        content=content,
    )


_REPORTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    REPORT: report_text,
    MACHINE: document_text,
}


def paper_name(each: Submission | DryRun, kind: str) -> str:
    """What a paper of this kind is called, wherever it is handed out as a file."""
    tried = "sandbox." if isinstance(each, DryRun) else ""
    return f"{each.received_at:%Y-%m-%d}_{each.id}.{tried}{kind}"
