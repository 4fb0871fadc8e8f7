"""One session at work: who it is asks the database anew each time, and every step may block.

Nothing here knows SFTP. What it raises are the gateway's own errors.
"""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from os import fstat
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import BinaryIO

import structlog

from crypto import Wholeness, wholeness
from gateway.errors import GatewayError, NotFound, RequestRefused
from gateway.flow.papers import FULL, STATUS, Paper
from gateway.flow.quarantine import Delivery
from gateway.records import Channel, Principal
from gateway.sftp.reading import Reading
from gateway.spool import Growing, Waiting
from gateway.spool.box import Box
from gateway.store.objects import Version
from gateway.wiring.sftp import SftpServices

log = structlog.get_logger("gateway.sftp")

INBOX, SANDBOX = "inbox", "sandbox"
_REMEMBERED_SECONDS = 900.0
_MOST_TAKEN = 10_000
_SURE_SECONDS = 2.0
"""How long an answer that a key is accepted may be relied on, by who reads on in an open file."""


class Taken:
    """What was handed over a short while ago: clients look whether it is there, and how large.

    Names are kept in memory only. What is forgotten too early makes a client send again, and the
    same octets are the same submission.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, str], tuple[float, Waiting]] = OrderedDict()
        self._lock = Lock()

    def put(self, agency_id: str, place: str, file: Waiting) -> None:
        """Remember a file."""
        with self._lock:
            self._kept[agency_id, place, file.name] = (monotonic(), file)
            while len(self._kept) > _MOST_TAKEN:
                self._kept.popitem(last=False)

    def get(self, agency_id: str, place: str, name: str) -> Waiting | None:
        """A file, if it is remembered."""
        with self._lock:
            at, file = self._kept.get((agency_id, place, name), (0.0, None))
        return file if file is not None and monotonic() - at < _REMEMBERED_SECONDS else None

    def pop(self, agency_id: str, place: str, name: str) -> Waiting | None:
        """A file, which is forgotten."""
        found = self.get(agency_id, place, name)
        with self._lock:
            self._kept.pop((agency_id, place, name), None)
        return found

    def all(self, agency_id: str, place: str) -> list[Waiting]:
        """Every file of a place that is remembered."""
        with self._lock:
            names = [
                name for (whose, where, name) in self._kept if (whose, where) == (agency_id, place)
            ]
        found = [self.get(agency_id, place, name) for name in names]
        return [each for each in found if each is not None]


@dataclass
class Desk:
    """What one session does, in the name of the agency whose key it came with."""

    services: SftpServices
    fingerprint: str
    agency_id: str
    source: str | None
    request_id: str
    taken: "Taken"
    reading: Reading
    papers: dict[str, Paper] = field(default_factory=dict)
    _held: int = field(default=0, init=False)
    _left: bool = field(default=False, init=False)
    _sure_at: float = field(default=-_SURE_SECONDS, init=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def principal(self) -> Principal:
        """Who this is now; raises Unauthenticated once the key is accepted no longer."""
        asked_at = monotonic()
        found = self.services.ssh_keys.authenticate(
            self.fingerprint, source=self.source, request_id=self.request_id
        )
        self._sure_at = asked_at
        return found

    def is_unsure(self) -> bool:
        """Whether it was too long ago that the key was seen to be accepted."""
        return monotonic() - self._sure_at > _SURE_SECONDS

    def box(self, place: str) -> Box:
        """The agency's unfinished files of a place."""
        return self.services.spool.of(f"{place}\n{self.agency_id}")

    def begin(self, place: str, name: str, *, anew: bool) -> Growing:
        """Open a file to write to."""
        # Before the first octet: what could not be kept need not be sent.
        self.services.intake.admit(None, replaces=None, by=self.principal())
        self.taken.pop(self.agency_id, place, name)
        return self.box(place).open(name, anew=anew)

    def end(self, place: str, file: Growing) -> None:
        """Close a file; one that is a whole message is handed over, and this returns once it is.

        Where that fails the last octet is given up: some clients do not look how a close ended, but
        at the size afterwards, and what was not acknowledged must not look as if it had been.
        """
        handed_over = False
        try:
            kept = file.settle()
            if kept.size and _wholeness(file.path) is Wholeness.WHOLE:
                try:
                    self._hand_over(place, kept, file.path)
                except BaseException:
                    file.shorten(kept.size - 1)
                    file.settle()
                    raise
                handed_over = True
        finally:
            file.release(forget=handed_over)

    def rename(self, place: str, old: str, new: str) -> None:
        """Give a file another name, which says that it is complete."""
        self.principal()
        handed_over = self.taken.pop(self.agency_id, place, old)
        if handed_over is not None:
            self.taken.put(self.agency_id, place, replace(handed_over, name=new))
            return
        box = self.box(place)
        box.rename(old, new)
        kept = box.find(new)
        if kept is None:
            raise NotFound("file")
        with box.held(new) as path:
            if _wholeness(path) is Wholeness.CUT_SHORT:
                raise RequestRefused(
                    "body-incomplete",
                    "The message is cut short: its end has not arrived.",
                    "Continue the file under its new name, or send it again.",
                )
            self._hand_over(place, kept, path)
            path.unlink()

    def remove(self, place: str, name: str) -> None:
        """Forget an unfinished file; of what was handed over only the name is forgotten."""
        self.principal()
        if self.taken.pop(self.agency_id, place, name) is None:
            self.box(place).remove(name)

    def find(self, place: str, name: str) -> Waiting | None:
        """What a client is told of a file."""
        self.principal()
        return self.taken.get(self.agency_id, place, name) or self.box(place).find(name)

    def waiting(self, place: str) -> list[Waiting]:
        """What a client is told of all files of a place."""
        self.principal()
        return [*self.taken.all(self.agency_id, place), *self.box(place).waiting()]

    def lay_out(self) -> dict[str, Paper]:
        """The papers that lie ready."""
        self.papers = self.services.papers.lay_out(by=self.principal(), known=self.papers)
        return self.papers

    def paper(self, name: str) -> Paper | None:
        """One of them; of the list of all only itself is made, since programs ask for it often."""
        if name == STATUS:
            return self.services.papers.status(by=self.principal())
        return self.lay_out().get(name)

    def take(self, paper: Paper) -> bytes | Version:
        """What is written on a paper; `put_down` gives its size back, where it is held."""
        by = self.principal()
        if paper.kind == FULL:
            return self.services.papers.take(paper, by=by)
        # Before anything is made, and before the log says that it was read.
        self._hold(paper.size)
        try:
            content = self.services.papers.take(paper, by=by)
        except BaseException:
            self.put_down(paper.size)
            raise
        if self._left:
            self.leave()
        return content

    def forget(self, paper: Paper) -> None:
        """List a paper anew, next time."""
        self.papers.pop(paper.name, None)
        self.services.papers.forget(paper)

    def _hold(self, size: int) -> None:
        self.reading.hold(self.agency_id, size)
        with self._lock:
            self._held += size

    def read(self, version: Version, offset: int, size: int) -> bytes:
        """Octets of a report that is not held here; pieces that are, too, are not for everybody."""
        if self.is_unsure():
            self.principal()
        return self.reading.read(version, offset, size, agency_id=self.agency_id, fetch=self._fetch)

    def put_down(self, size: int) -> None:
        """A paper of so many octets is read no longer."""
        with self._lock:
            size = min(size, self._held)
            self._held -= size
        self.reading.let_go(self.agency_id, size)

    def leave(self) -> None:
        """The session has ended, with whatever it still held, or just takes."""
        self._left = True
        self.put_down(self._held)

    def _fetch(self, version: Version, offset: int, size: int) -> bytes:
        self.principal()  # a key that is accepted no longer reads no further
        return self.services.papers.piece(version, offset, size)

    def _hand_over(self, place: str, kept: Waiting, path: Path) -> None:
        subject, size, fault = "", kept.size, None
        receive = self._submit if place == INBOX else self._try_out
        try:
            subject = receive(path, self.principal())
        except GatewayError as error:
            fault = error.code
            raise
        finally:
            log.info(
                "file",
                place=place,
                agency=self.agency_id,
                request_id=self.request_id,
                subject=subject,
                bytes=size,
                error=fault,
            )
        self.taken.put(self.agency_id, place, kept)

    def _submit(self, path: Path, by: Principal) -> str:
        with path.open("rb") as body:
            return str(self.services.intake.receive(_delivery(body), by=by).submission.id)

    def _try_out(self, path: Path, by: Principal) -> str:
        with path.open("rb") as body:
            return str(self.services.dry_runs.receive(_delivery(body), by=by).dry_run.id)


def _delivery(body: BinaryIO) -> Delivery:
    size = fstat(body.fileno()).st_size
    return Delivery(body=body, length=size, channel=Channel.SFTP, digests={})


def _wholeness(path: Path) -> Wholeness:
    with path.open("rb") as source:
        return wholeness(source)
