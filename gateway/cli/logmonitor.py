"""`gateway audit monitor`: look again and again, remember what was seen, and shout.

Exit status: 6 where the log contradicts itself or cannot prove what it shows; it is never passed
over, and the next run says it again. 3 with --once where times cannot be true, numbers of an agency
are missing, or timestamps are missing, late or prove nothing; 5 where nobody answered. Without
--once a log that does not answer is asked again at the next interval.
"""

import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from audit.errors import AuditError, LogTampered
from audit.gather import gather
from audit.keyring import LogKeys
from audit.replay import Replayed
from audit.tiles import TileSource
from audit.watch import WatchMemory, look
from gateway.cli.failures import IN_PART, Stop
from gateway.cli.logfindings import finding_lines
from gateway.cli.logsources import Where, log_key_option, read_log_keys, source_options
from gateway.cli.logstamps import StampWatch, Vouched, pinned, stamps_options
from gateway.cli.output import say, some_of
from gateway.client import ClientError

LEAST_SECONDS = 10
ALARM_SECONDS = 60


@click.command()
@log_key_option
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="A folder of yours, in which the last checkpoint is remembered.",
)
@click.option(
    "--interval",
    type=click.IntRange(LEAST_SECONDS),
    default=300,
    show_default=True,
    help="Seconds between two looks.",
)
@click.option("--once", is_flag=True, help="Look once and end, for cron.")
@click.option("--exec", "command", help="Run this where something is wrong; stdin says what.")
@stamps_options
@click.option(
    "--stamped-within",
    type=click.IntRange(LEAST_SECONDS),
    default=7200,
    show_default=True,
    help="Seconds that an entry may be in the log before a timestamp covers it.",
)
@source_options
def monitor(
    *,
    log_key: str,
    state: Path,
    interval: int,
    once: bool,
    command: str | None,
    timestamps: str | None,
    authorities: tuple[Path, ...],
    stamped_within: int,
    **where: Any,
) -> None:
    """Watch the log grow: verify what is new, and that nothing old has changed."""
    keys, place = read_log_keys(log_key), Where(**where)
    stamps = None
    if timestamps is not None:
        within = timedelta(seconds=stamped_within)
        stamps = StampWatch(timestamps, pinned(authorities), within)
    watcher = _Watcher(keys, WatchMemory(state), state, command, stamps)
    while True:
        found = watcher.look(place.open, patient=not once)
        if once:
            if found:
                raise Stop(IN_PART)
            return
        time.sleep(interval)


class _Watcher:
    """One look after the other."""

    def __init__(
        self,
        keys: LogKeys,
        memory: WatchMemory,
        state: Path,
        command: str | None,
        stamps: StampWatch | None,
    ) -> None:
        self._keys = keys
        self._memory = memory
        self._state = state
        self._command = command
        self._stamps = stamps

    def look(self, open_source: Callable[[], TileSource], *, patient: bool) -> bool:
        """Whether there are findings; raises what ends the watch."""
        source, vouched = open_source(), Vouched()
        try:
            # Before the newest checkpoint is read, as `gateway audit verify` does.
            vouched = self._new_stamps()
            now = datetime.now(UTC)
            replayed = look(source, self._memory, keys=self._keys, now=now, stamps=vouched.stamps)
            lines = [*self._stamp_lines(source, replayed, vouched, now)]
        except ClientError as error:
            if not patient:
                raise
            say(f"{_now()} {error.message} Asking again later.")
            return False
        except LogTampered as found:
            self._shout(f"{found} [{found.code}]{self._evidence(found, source, vouched)}")
            raise
        except AuditError as error:
            self._shout(f"{error} [{error.code}]")
            raise
        return self._tell(replayed, lines)

    def _new_stamps(self) -> Vouched:
        """Those since the last look; none where they cannot be read, which ends no look."""
        if self._stamps is None:
            return Vouched()
        try:
            return self._stamps.newer(self._memory.stamped(), self._keys)
        except ClientError as error:
            say(f"{_now()} Timestamps cannot be read. {error.message}")
            return Vouched()

    def _stamp_lines(
        self, source: TileSource, replayed: Replayed, vouched: Vouched, now: datetime
    ) -> Iterator[str]:
        if self._stamps is None:
            return
        yield from some_of(vouched.refused, "timestamps prove nothing")
        size, newest = replayed.checkpoint.size, self._memory.stamped()
        overdue = self._stamps.overdue(source, size, newest, keys=self._keys, now=now)
        if overdue is not None:
            yield overdue

    def _tell(self, replayed: Replayed, stamp_lines: list[str]) -> bool:
        said, stamped = f"verified up to {replayed.checkpoint.size} entries", self._memory.stamped()
        if self._stamps is not None and stamped is not None:
            said += f", stamped up to {stamped.size} at {stamped.at.isoformat(timespec='seconds')}"
        say(f"{_now()} {said}")
        lines = [*finding_lines(replayed.findings), *stamp_lines]
        if lines:
            self._shout("\n".join(lines))
        return bool(lines)

    def _evidence(self, found: LogTampered, source: TileSource, vouched: Vouched) -> str:
        seen = self._memory.recall()
        known = [*([] if seen is None else [seen.note]), *vouched.notes]
        gathered = gather(found, source, keys=self._keys, known=known)
        folder = self._state / "evidence"
        if gathered is None or folder.exists():
            return ""
        kit, proven = gathered
        kit.write(folder, proven.sentence)
        return f"\n{proven.sentence} Evidence: {folder}"

    def _shout(self, text: str) -> None:
        say(f"{_now()} ALARM: {text}")
        if self._command is None:
            return
        try:
            subprocess.run(  # noqa: S603  # the watcher's own command, from their own command line
                shlex.split(self._command),
                input=f"{text}\n",
                text=True,
                check=False,
                timeout=ALARM_SECONDS,
            )
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            say(f"The alarm's command did not work: {type(error).__name__}.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
