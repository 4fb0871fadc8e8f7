"""What a client sees: five places, none of which is a folder of this machine.

Every operation of the protocol (SFTP version 3) is answered here, also those that are always
refused: the library's own would touch the file system. What blocks runs in threads.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from posixpath import normpath
from stat import S_ISDIR
from typing import Any, NoReturn, TypeVar
from weakref import WeakSet

import structlog
from asyncssh import (
    FXF_EXCL,
    FXF_READ,
    FXF_TRUNC,
    FXF_WRITE,
    SFTPAttrs,
    SFTPError,
    SFTPFailure,
    SFTPName,
    SFTPNoSuchFile,
    SFTPOpUnsupported,
    SFTPPermissionDenied,
    SFTPServer,
    SFTPVFSAttrs,
    SSHServerChannel,
)
from asyncssh.constants import FILEXFER_TYPE_DIRECTORY, FILEXFER_TYPE_REGULAR

from gateway.errors import GatewayError, NotFound, ServiceFailed, Unauthenticated
from gateway.flow.papers import STATUS, Paper
from gateway.sftp.compat import is_agreeing_on_keys, waiting_for_room, waiting_to_leave
from gateway.sftp.desk import INBOX, SANDBOX, Desk
from gateway.sftp.shelf import HELP, Shelf
from gateway.spool import LONGEST, Growing, Waiting, fit
from gateway.store.objects import Version

log = structlog.get_logger("gateway.sftp")

OUTBOX, STANDARD, HELP_NAME = "outbox", "standard", "help.txt"
WRITABLE = frozenset({INBOX, SANDBOX})
FOLDERS = (INBOX, OUTBOX, SANDBOX, STANDARD)

MOST_OPEN = 64
MOST_READ = 1 << 18
MOST_UNREAD = 4 << 20
MOST_UNREAD_OF_AN_AGENCY = 32 << 20
_WAIT_SECONDS = 0.05
_LONGEST_PATH = 1024
_READ_ONLY, _WRITE_ONLY, _FOLDER, _BOX = 0o100444, 0o100200, 0o040555, 0o040755

T = TypeVar("T")


@dataclass(slots=True)
class Incoming:
    """A file that a client writes to."""

    place: str
    file: Growing


@dataclass(slots=True)
class Outgoing:
    """A file that a client reads; so much of it is held for this session alone."""

    content: bytes | Version
    attrs: SFTPAttrs
    held: int = 0


def answered(operation: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
    """Around an operation: every failure becomes a sentence, and none tells more than that."""

    @functools.wraps(operation)
    async def run(tree: "Tree", *given: Any) -> T:
        tree.asked()
        await tree.until_heard()
        try:
            with tree.acting():
                return await operation(tree, *given)
        except SFTPError:
            raise
        except GatewayError as error:
            raise tree.told(error) from None
        except OSError as error:
            log.warning("trouble", error=type(error).__name__, number=error.errno)
            raise SFTPFailure(_AWAY) from None
        except Exception as error:  # noqa: BLE001 - the library would send its words to the client
            log.error("fault", error=type(error).__name__)
            raise SFTPFailure("A fault of the gateway's. Try again later. [internal]") from None

    return run


_AWAY = (
    "The gateway cannot keep files just now. Nothing is lost and nothing was taken; try again in "
    "some minutes. [unavailable]"
)


class Tree(SFTPServer):
    """The tree of one session."""

    def __init__(
        self,
        channel: SSHServerChannel[bytes],
        *,
        desk: Desk,
        shelf: Shelf,
        threads: Executor,
        turn: asyncio.Semaphore,
        asked: Callable[[], None],
        acting: Callable[[], AbstractContextManager[None]],
        unread: Callable[[], int],
    ) -> None:
        super().__init__(channel)
        self._desk = desk
        self._shelf = shelf
        self._threads = threads
        self._turn = turn  # of the agency's sessions, each of which blocks
        self._began = datetime.now().astimezone().timestamp()
        self._open = 0
        self._incoming: dict[int, Incoming] = {}
        self._listings: WeakSet[AsyncIterator[SFTPName]] = WeakSet()
        self._closing: set[asyncio.Task[None]] = set()
        self._unread_of_agency = unread
        self.asked = asked
        self.acting = acting

    def unread(self) -> int:
        """Octets that this session has asked for, and does not let come."""
        return waiting_for_room(self.channel)

    async def until_heard(self) -> None:
        """Wait until a client reads its answers: who only asks must not fill the memory."""
        while not self.channel.is_closing() and self._is_deaf():
            await asyncio.sleep(_WAIT_SECONDS)

    @staticmethod
    async def before_a_request(tree: SFTPServer) -> None:
        """Before whatever is asked over SFTP; scp comes to the operations without a request."""
        if isinstance(tree, Tree):
            tree.asked()
            await tree.until_heard()

    def _is_deaf(self) -> bool:
        if is_agreeing_on_keys(self.connection):
            return True  # nothing leaves until they are
        mine = self.unread() + waiting_to_leave(self.connection)
        if mine > MOST_UNREAD:
            return True
        # Who takes what they ask for goes on, whatever others of their agency do.
        return mine > MOST_READ and self._unread_of_agency() > MOST_UNREAD_OF_AN_AGENCY

    def told(self, error: GatewayError) -> SFTPError:
        """What a client is told of an error; a key that is accepted no longer ends the session."""
        if isinstance(error, Unauthenticated):
            self.connection.abort()
            return SFTPPermissionDenied("This key is not accepted.")
        if isinstance(error, NotFound):
            return SFTPNoSuchFile("There is no such file.")
        if isinstance(error, ServiceFailed):
            log.warning("trouble", error=error.code)
            return SFTPFailure(_AWAY)
        return SFTPFailure(f"{error.message} {error.mend} [{error.code}]")

    # Files.

    @answered
    async def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> Incoming | Outgoing:
        """Open to write in a box, or to read anywhere else."""
        del attrs  # modes and times of files are ours
        if self._open >= MOST_OPEN:
            raise SFTPFailure(f"More than {MOST_OPEN} files are open. Close some first.")
        found: Incoming | Outgoing
        if pflags & FXF_WRITE:
            place, name = self._box_and_name(path)
            there = await self._do(self._desk.find, place, name)
            if pflags & FXF_EXCL and there is not None:
                raise SFTPFailure("There is a file of this name already.")
            anew = bool(pflags & FXF_TRUNC)
            file = await self._do(functools.partial(self._desk.begin, place, name, anew=anew))
            found = Incoming(place, file)
            self._incoming[id(found)] = found
        elif pflags & FXF_READ:
            found = await self._to_read(path)
        else:
            raise SFTPOpUnsupported("A file is opened to be read or to be written.")
        self._open += 1
        return found

    @answered
    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Octets of a file that can be read."""
        if not isinstance(file_obj, Outgoing):
            raise SFTPPermissionDenied("What is sent here cannot be read back.")
        content, size = file_obj.content, min(size, MOST_READ)
        if isinstance(content, bytes):
            if file_obj.held and self._desk.is_unsure():
                await self._do(self._desk.principal)
            return content[offset : offset + size]
        return await self._do(self._desk.read, content, offset, size)

    @answered
    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Octets of a file in a box."""
        if not isinstance(file_obj, Incoming):
            raise SFTPPermissionDenied("This file can only be read.")
        file_obj.file.write(offset, data)
        return len(data)

    @answered
    async def close(self, file_obj: object) -> None:
        """Close; of a file in a box that is whole this answers once it is safe."""
        self._open -= 1
        if isinstance(file_obj, Outgoing):
            self._desk.put_down(file_obj.held)
        incoming = self._incoming.pop(id(file_obj), None)
        if incoming is not None:
            await self._do(self._desk.end, incoming.place, incoming.file)

    @answered
    async def fsync(self, file_obj: object) -> None:
        """Nothing: what counts is made durable when the file is closed."""

    @answered
    async def fstat(self, file_obj: object) -> SFTPAttrs:
        """What an open file is."""
        if isinstance(file_obj, Incoming):
            return self._attrs(_WRITE_ONLY, file_obj.file.size)
        if isinstance(file_obj, Outgoing):
            return file_obj.attrs
        raise SFTPFailure("This is no open file.")

    @answered
    async def fsetstat(self, file_obj: object, attrs: SFTPAttrs) -> None:
        """Cut a file short; its mode and times are ours."""
        if not isinstance(file_obj, Incoming):
            raise SFTPPermissionDenied("This file can only be read.")
        if attrs.size is not None:
            file_obj.file.shorten(attrs.size)

    # Paths.

    @answered
    async def stat(self, path: bytes) -> SFTPAttrs:
        """What is at a path."""
        place, rest = self._parsed(path)
        if place in WRITABLE and rest:
            found = await self._do(self._desk.find, place, self._fit(rest))
            if found is None:
                raise SFTPNoSuchFile("There is no such file.")
            return self._attrs_of(found)
        if place == OUTBOX and rest:
            paper = await self._do(self._desk.paper, rest)
            if paper is None:
                raise SFTPNoSuchFile("There is no such file.")
            return self._attrs(_READ_ONLY, paper.size, paper.at.timestamp())
        return self._fixed(place, rest)

    async def lstat(self, path: bytes) -> SFTPAttrs:
        """The same: there are no links."""
        return await self.stat(path)

    @answered
    async def setstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Accept and ignore, in a box: clients set times and modes after a transfer."""
        del attrs
        self._box_and_name(path)

    async def lsetstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """The same: there are no links."""
        await self.setstat(path, attrs)

    @answered
    async def realpath(self, path: bytes) -> bytes:
        """The path from the root, without detours."""
        return self._clean(path)

    def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        """What is in a folder; the library keeps a listing until the client closes it."""
        if len(self._listings) >= MOST_OPEN:
            raise SFTPFailure(f"More than {MOST_OPEN} listings are open. Close some first.")
        listing = self._listing(path)
        self._listings.add(listing)
        return listing

    async def _listing(self, path: bytes) -> AsyncIterator[SFTPName]:
        for name, attrs in await self._listed(path):
            entry = SFTPName(name.encode(), attrs=attrs)
            yield entry

    @answered
    async def remove(self, path: bytes) -> None:
        """Remove an unfinished file."""
        place, name = self._box_and_name(path)
        await self._do(self._desk.remove, place, name)

    @answered
    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Give a file in a box its final name: it is complete, and is handed over."""
        place, old = self._box_and_name(oldpath)
        into, new = self._box_and_name(newpath)
        if into != place:
            raise SFTPPermissionDenied("A file stays in the folder that it was put into.")
        await self._do(self._desk.rename, place, old, new)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """The same."""
        await self.rename(oldpath, newpath)

    @answered
    async def statvfs(self, path: bytes) -> SFTPVFSAttrs:
        """How much room there is: as much as one file may take."""
        self._clean(path)
        block, room = 4096, self._desk.services.max_upload_bytes
        return SFTPVFSAttrs(
            bsize=block, frsize=block, blocks=room // block, bfree=room // block,
            bavail=room // block, namemax=LONGEST,
        )  # fmt: skip

    async def fstatvfs(self, file_obj: object) -> SFTPVFSAttrs:
        """The same."""
        del file_obj
        return await self.statvfs(b"/")

    # What there is not.

    def _never(self, *_: object) -> NoReturn:
        raise SFTPPermissionDenied("This cannot be done here; /help.txt says what can.")

    # Taken by name and called with whatever each is called with.
    mkdir = rmdir = readlink = symlink = link = lock = unlock = open56 = _never  # type: ignore[assignment]
    map_path = reverse_map_path = _never  # type: ignore[assignment]

    def exit(self) -> None:
        """End with a status, which scp waits for."""
        try:
            self.channel.exit(0)
        except OSError:
            return

    def abandon(self) -> None:
        """End what was still open when the connection went, each by itself.

        The library closes one after the other, and leaves the rest open where one close fails.
        """
        self._desk.leave()
        for file in list(self._incoming.values()):
            task = asyncio.get_running_loop().create_task(self._end_alone(file))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _end_alone(self, file: Incoming) -> None:
        with suppress(SFTPError):  # there is nobody to tell
            await self.close(file)

    async def _to_read(self, path: bytes) -> Outgoing:
        place, rest = self._parsed(path)
        if place in WRITABLE:
            raise SFTPPermissionDenied("What is sent here cannot be read back.")
        if place == OUTBOX and rest:
            paper = self._desk.papers.get(rest) if rest != STATUS else None
            paper = paper or await self._do(self._desk.paper, rest)
            if paper is None:
                raise SFTPNoSuchFile("There is no such file.")
            return await self._take(paper)
        fixed = HELP if (place, rest) == (HELP_NAME, "") else None
        if place == STANDARD:
            fixed = self._shelf.file(rest)
        if fixed is None:
            raise SFTPNoSuchFile("There is no such file.")
        return Outgoing(fixed, self._fixed(place, rest))

    async def _take(self, paper: Paper) -> Outgoing:
        content = await self._do(self._desk.take, paper)
        size, held = content.size if isinstance(content, Version) else len(content), 0
        if isinstance(content, bytes):
            held = paper.size
        if size != paper.size:
            # scp sends as many octets as were listed, whatever there is.
            self._desk.put_down(held)
            self._desk.forget(paper)
            raise SFTPFailure("This file has changed since it was listed. List the folder again.")
        return Outgoing(content, self._attrs(_READ_ONLY, size, paper.at.timestamp()), held)

    def _fixed(self, place: str, rest: str) -> SFTPAttrs:
        if place == HELP_NAME and not rest:
            return self._attrs(_READ_ONLY, len(HELP))
        if place == STANDARD:
            file = self._shelf.file(rest)
            if file is not None:
                return self._attrs(_READ_ONLY, len(file))
            if self._shelf.names(rest) is not None:
                return self._attrs(_FOLDER, 0)
        elif not rest and (place in FOLDERS or not place):
            return self._attrs(_BOX if place in WRITABLE else _FOLDER, 0)
        raise SFTPNoSuchFile("There is no such file.")

    @answered
    async def _listed(self, path: bytes) -> list[tuple[str, SFTPAttrs]]:
        place, rest = self._parsed(path)
        here = [(".", self._attrs(_FOLDER, 0)), ("..", self._attrs(_FOLDER, 0))]
        if not place:
            return here + [(name, self._fixed(name, "")) for name in (*FOLDERS, HELP_NAME)]
        if place in WRITABLE and not rest:
            found = await self._do(self._desk.waiting, place)
            return here + [(each.name, self._attrs_of(each)) for each in found]
        if place == OUTBOX and not rest:
            papers = (await self._papers()).values()
            return here + [
                (each.name, self._attrs(_READ_ONLY, each.size, each.at.timestamp()))
                for each in papers
            ]
        names = self._shelf.names(rest) if place == STANDARD else None
        if names is None:
            raise SFTPNoSuchFile("There is no such folder.")
        return here + [
            (name, self._fixed(place, f"{rest}/{name}" if rest else name)) for name in names
        ]

    async def _papers(self) -> dict[str, Any]:
        return await self._do(self._desk.lay_out)

    async def _do(self, step: Callable[..., T], *given: object) -> T:
        async with self._turn:
            return await asyncio.get_running_loop().run_in_executor(self._threads, step, *given)

    def _attrs(self, mode: int, size: int, at: float | None = None) -> SFTPAttrs:
        when = int(self._began if at is None else at)
        kind = FILEXFER_TYPE_DIRECTORY if S_ISDIR(mode) else FILEXFER_TYPE_REGULAR
        return SFTPAttrs(
            type=kind, size=size, uid=0, gid=0, permissions=mode, atime=when, mtime=when
        )

    def _attrs_of(self, found: Waiting) -> SFTPAttrs:
        return self._attrs(_WRITE_ONLY, found.size, found.changed)

    def _clean(self, path: bytes) -> bytes:
        if len(path) > _LONGEST_PATH or b"\0" in path:
            raise SFTPNoSuchFile("There is no such file.")
        return b"/" + normpath(b"/" + path).lstrip(b"/")

    def _parsed(self, path: bytes) -> tuple[str, str]:
        """The place, and what of the path is below it."""
        try:
            place, _, rest = self._clean(path).decode("utf-8").lstrip("/").partition("/")
        except UnicodeDecodeError:
            raise SFTPNoSuchFile("There is no such file.") from None
        return place, rest

    def _fit(self, rest: str) -> str:
        name = fit(rest.encode())
        if name is None:
            raise SFTPNoSuchFile("There is no such file.")
        return name

    def _box_and_name(self, path: bytes) -> tuple[str, str]:
        """Where in a box something is to be changed; everywhere else nothing can be."""
        place, rest = self._parsed(path)
        if place not in WRITABLE or not rest:
            raise SFTPPermissionDenied("Files are put into /inbox, or into /sandbox to try out.")
        name = fit(rest.encode())
        if name is None:
            raise SFTPFailure(
                f"A file cannot be called so. Use up to {LONGEST} letters, digits, points and "
                "dashes, and no folders."
            )
        return place, name
