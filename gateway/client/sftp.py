"""SFTP as a channel: the message goes into a box, and the answers lie in /outbox.

The message has its own SHA-256 for a name, so a session that goes on finds what an earlier one left
and nothing else. That the gateway has it is believed of its list alone: a close whose answer was
lost, and a size that looks right, are no acknowledgement. Only papers that are wanted are opened,
since each reading is in the log.
"""

import json
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from asyncssh import FXF_CREAT, FXF_TRUNC, FXF_WRITE, SFTPClient, SFTPNoSuchFile

from gateway.client.access import Access
from gateway.client.answers import NOT_JSON, Busy, Refused, Unreachable
from gateway.client.channel import Kind, Received, not_here
from gateway.client.files import Progress, Told, Upload
from gateway.client.line import Line, answered
from gateway.client.tries import Tries

T = TypeVar("T")

BLOCK = 1 << 20
SENDING_TRIES = 12
"""More than elsewhere: while the gateway believes a dead session alive, nobody else may write."""

_PIECE = 1 << 15
_MOST_POLLS = 60

_BOX = {Kind.SUBMISSION: "inbox", Kind.DRY_RUN: "sandbox"}
_LIST = {Kind.SUBMISSION: "submissions", Kind.DRY_RUN: "dry_runs"}
_PROMISE, _RECEIPT = "promise", "receipt.tlog-proof"


class Sftp:
    """Sends and asks with an SSH key."""

    poll_seconds = 1.0

    def __init__(self, access: Access, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._line = Line(access)
        self._sleep = sleep

    def certificate(self) -> bytes:
        """Return the certificate to encrypt to."""
        found = self._patiently(partial(_read, path="/standard/gateway-certificate.asc"))
        if found is None:
            raise _unexplained("has no certificate of the gateway's")
        return found

    def find(self, kind: Kind, sent_id: str) -> Received | None:
        """Return a submission, or a dry run, by the gateway's id, of the newest 100."""
        return next((each for each in self._listed(kind) if each.id == sent_id), None)

    def page(self, kind: Kind, *, limit: int, before: str | None) -> dict[str, Any]:
        """Return the newest of a kind, with `next_before` of the next page; 100 in all."""
        listed = (each.shown for each in self._listed(kind))
        # All are written in the same form, so that the order of the texts is that of the moments.
        shown = [each for each in listed if before is None or each["received_at"] < before]
        following = shown[limit - 1]["received_at"] if len(shown) > limit else None
        return {_LIST[kind]: shown[:limit], "next_before": following}

    def of_package(self, package_id: str) -> list[Received]:
        """Return the submissions of a package, of the newest 100, newest first."""
        return [
            each for each in self._listed(Kind.SUBMISSION) if each.shown["package_id"] == package_id
        ]

    def send(
        self, kind: Kind, upload: Upload, *, replaces: str | None, progress: Progress
    ) -> Received:
        """Send a message, going on where it broke off; return once the gateway has it."""
        del replaces  # over SFTP the manifest alone says what it replaces
        tries, told, furthest = Tries(self._sleep, most=SENDING_TRIES), Told(progress), 0
        put = partial(
            _put, path=f"/{_BOX[kind]}/{upload.sha256.hex()}.pgp", upload=upload, told=told
        )
        sent = False
        while (received := self._same(kind, upload)) is None:
            if sent:
                raise _unexplained("took the message and does not list it")
            try:
                self._line.do(put)
                sent = True
            except Busy as busy:
                tries.failed(busy.refused, seconds=busy.seconds)
            except Unreachable as broken:
                if told.told > furthest:
                    furthest = told.told
                    tries.progressed()
                tries.failed(broken)
        told.until(upload.size)
        return received

    def again(self, received: Received) -> Received:
        """Look again what became of it."""
        found = self.find(received.kind, received.id)
        if found is None:
            raise not_here(received.kind)
        return found

    def promise(self, received: Received) -> bytes:
        """Return the log's promise of a receipt."""
        return self._paper(received, _PROMISE)

    def receipt(self, received: Received) -> bytes:
        """Return the receipt, once there is one."""
        for _ in range(_MOST_POLLS):
            found = self._found(received, _RECEIPT)
            if found is not None:
                return found
            self._sleep(self.poll_seconds)
        raise Refused(
            None,
            "receipt-not-ready",
            "The submission is safe; its entry is not under a signed checkpoint yet.",
            "Run the same command again later: nothing is sent twice.",
        )

    def report(self, received: Received) -> dict[str, Any]:
        """Return the report; raises Refused where there is none."""
        return _json(self._paper(received, _in(received, "report.json")))

    def full_report(self, received: Received) -> bytes:
        """Return the report with values, encrypted; raises Refused `not-found` without one."""
        return self._paper(received, _in(received, "report.pgp"))

    def close(self) -> None:
        """Give up the connection."""
        self._line.close()

    def _same(self, kind: Kind, upload: Upload) -> Received | None:
        """What the gateway has of these very octets."""
        digest = upload.sha256.hex()
        return next((each for each in self._listed(kind) if each.shown["sha256"] == digest), None)

    def _listed(self, kind: Kind) -> list[Received]:
        text = self._patiently(partial(_read, path="/outbox/status.json"))
        shown = {} if text is None else _json(text)
        return [Received(kind, each) for each in shown.get(_LIST[kind], ())]

    def _paper(self, received: Received, name: str) -> bytes:
        found = self._found(received, name)
        if found is None:
            raise not_here(name)
        return found

    def _found(self, received: Received, name: str) -> bytes | None:
        return self._patiently(partial(_take, end=f"_{received.id}.{name}"))

    def _patiently(self, step: Callable[[SFTPClient], Awaitable[T]]) -> T:
        """Try again while the gateway is away or asks for time."""
        tries = Tries(self._sleep)
        while True:
            try:
                return self._line.do(step)
            except Busy as busy:
                tries.failed(busy.refused, seconds=busy.seconds)
            except Unreachable as unreachable:
                tries.failed(unreachable)


async def _read(sftp: SFTPClient, *, path: str) -> bytes | None:
    """A file, or None where there is none."""
    try:
        file = await answered(sftp.open(path, encoding=None))
    except SFTPNoSuchFile:
        return None
    content = await answered(file.read())
    await answered(file.close())
    assert isinstance(content, bytes)
    return content


async def _take(sftp: SFTPClient, *, end: str) -> bytes | None:
    """The paper whose name ends so."""
    names = [str(each) for each in await answered(sftp.listdir("/outbox"))]
    name = next((each for each in names if each.endswith(end)), None)
    return None if name is None else await _read(sftp, path=f"/outbox/{name}")


async def _put(sftp: SFTPClient, *, path: str, upload: Upload, told: Told) -> None:
    """Send what is missing of a file; its close is answered once it is safe."""
    at = await _size(sftp, path)
    if at >= upload.size:  # whole and yet not taken: there is nothing to go on with
        await answered(sftp.remove(path))
        at = 0
    told.until(at)
    flags = FXF_WRITE | FXF_CREAT | (0 if at else FXF_TRUNC)
    file = await answered(sftp.open(path, flags, encoding=None, block_size=_PIECE))
    with upload.path.open("rb") as source:
        source.seek(at)
        while block := source.read(BLOCK):
            await answered(file.write(block, at))
            at += len(block)
            told(len(block))
    await answered(file.close())


async def _size(sftp: SFTPClient, path: str) -> int:
    try:
        return (await answered(sftp.stat(path))).size or 0
    except SFTPNoSuchFile:
        return 0


def _in(received: Received, name: str) -> str:
    return name if received.kind is Kind.SUBMISSION else f"sandbox.{name}"


def _json(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except NOT_JSON:
        found = None
    if not isinstance(found, dict):
        raise _unexplained("has a file under the gateway's name which is none of the gateway's")
    return found


def _unexplained(what: str) -> Refused:
    return Refused(
        None,
        "sftp-unexplained",
        f"The server {what}.",
        "Check that the address is that of the gateway itself.",
    )
