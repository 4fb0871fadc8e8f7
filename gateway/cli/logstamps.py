"""`gateway audit timestamp` and `timestamps`: when the log was there, by somebody else's clock.

A token counts where it verifies under a root that the auditor pins, and for nothing else.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import click
from cryptography.x509 import Certificate

from audit.checkpoint import Checkpoint
from audit.entry import Entry
from audit.errors import TimestampRefused
from audit.keyring import LogKeys
from audit.proving import prove_entry
from audit.tiles import TileSource
from audit.times import SeenAt
from audit.timestamp import Stamp, read_roots, stamped_at, verify_stamp
from gateway.cli.logsources import log_key_option, read_log_keys
from gateway.cli.options import EXISTING, FOLDER, client_options, json_option, open_client
from gateway.cli.output import print_facts, print_json, say, some_of
from gateway.cli.stampsources import Stamped, keep_in, of_folder, of_gateway
from gateway.client import GatewayClient

F = TypeVar("F", bound=Callable[..., Any])

authority_option = click.option(
    "--authority",
    "authorities",
    multiple=True,
    type=EXISTING,
    help="The root certificate (PEM) of a timestamp authority, got from the authority itself.",
)


def stamps_options(function: F) -> F:
    """--timestamps, and whose are believed."""
    where = click.option(
        "--timestamps",
        help="A gateway's address, or a folder of `gateway audit timestamps`: hold the entries "
        "against these timestamps.",
    )
    return where(authority_option(function))


@dataclass(slots=True)
class Vouched:
    """The stamps that verified, with their notes; and what did not, with the reason."""

    stamps: list[Stamp] = field(default_factory=list)
    notes: list[bytes] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def borders(self) -> list[SeenAt]:
        """The stamps as `audit.times` takes them."""
        return [SeenAt(each.checkpoint.size, each.at) for each in self.stamps]

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """What the log must extend."""
        return list(dict.fromkeys(each.checkpoint for each in self.stamps))

    def facts(self) -> dict[str, Any]:
        """How many, from where to where, and how far apart at most."""
        if not self.stamps:
            return {}
        in_order = sorted(self.stamps, key=lambda each: (each.at, each.checkpoint.size))
        first, last = in_order[0], in_order[-1]
        return {
            "timestamps": len(self.stamps),
            "stamped_first": f"{first.checkpoint.size} entries at {first.at.isoformat()}",
            "stamped_last": f"{last.checkpoint.size} entries at {last.at.isoformat()}",
            "stamped_apart": str(_apart([each.at for each in in_order])),
        }

    def tell(self) -> None:
        """Say what proves nothing, up to a number that can be read."""
        for line in some_of(self.refused, "timestamps prove nothing"):
            say(line)


def read_stamps(timestamps: str | None, authorities: Sequence[Path], keys: LogKeys) -> Vouched:
    """Verify every token that there is. One that proves nothing is passed over, and told of.

    Raises TimestampRefused where none verifies, or an error of a note that was stamped and is not
    by the log's key.
    """
    if timestamps is None:
        return Vouched()
    found = _verified(_stamps_from(timestamps), pinned(authorities), keys)
    if not found.stamps:
        raise TimestampRefused("; ".join(found.refused[:1]) or "there is no timestamp")
    return found


@dataclass(frozen=True, slots=True)
class StampWatch:
    """Which timestamps a watcher holds a log against, and how long an entry may have none."""

    timestamps: str
    roots: Sequence[Certificate]
    within: timedelta

    def newer(self, than: SeenAt | None, keys: LogKeys) -> Vouched:
        """Those over more entries than the newest that the watcher knows."""
        after = 0 if than is None else than.size
        return _verified(_stamps_from(self.timestamps, after=after), self.roots, keys)

    def overdue(
        self, source: TileSource, size: int, newest: SeenAt | None, *, keys: LogKeys, now: datetime
    ) -> str | None:
        """What is to be said where the first entry that no timestamp covers is too old for that.

        Its time is the log's own word, which may be ahead of the watcher's clock by minutes only.
        """
        covered = 0 if newest is None else newest.size
        if covered >= size:
            return None
        first = Entry.from_bytes(prove_entry(source, covered, keys).extra or b"")
        if now - first.time <= self.within:
            return None
        waits = f"entry {covered} of {first.time.isoformat(timespec='seconds')}"
        if newest is None:
            return f"timestamps are missing: none that verifies is over {waits}"
        at = newest.at.isoformat(timespec="seconds")
        return f"timestamps are late: the newest, of {at}, is not over {waits}"


def _verified(stamped: Iterable[Stamped], roots: Sequence[Certificate], keys: LogKeys) -> Vouched:
    found = Vouched()
    for each in stamped:
        try:
            at = stamped_at(each.note, each.token, roots=roots)
        except TimestampRefused as refused:
            found.refused.append(f"timestamp of {each.size} entries by {each.authority}: {refused}")
            continue
        found.stamps.append(Stamp(keys.checkpoint(each.note), at))
        found.notes.append(each.note)
    return found


@click.command()
@click.argument("checkpoint", type=EXISTING)
@click.argument("token", type=EXISTING)
@log_key_option
@authority_option
@json_option
def timestamp(
    checkpoint: Path, token: Path, *, log_key: str, authorities: tuple[Path, ...], as_json: bool
) -> None:
    """Verify TOKEN, an RFC 3161 timestamp over the file CHECKPOINT, offline."""
    keys, roots = read_log_keys(log_key), pinned(authorities)
    stamp = verify_stamp(checkpoint.read_bytes(), token.read_bytes(), roots=roots, keys=keys)
    facts = {
        "log": stamp.checkpoint.origin,
        "entries": stamp.checkpoint.size,
        "root": stamp.checkpoint.root.hex(),
        "stamped": stamp.at.isoformat(),
    }
    print_json({**facts, "verified": True}) if as_json else print_facts(facts)
    say(f"This log had these {stamp.checkpoint.size} entries at {stamp.at.isoformat()}.")


@click.command()
@click.option("--out", type=FOLDER, required=True, help="A folder; what it lacks is added.")
@client_options
def timestamps(*, out: Path, url: str | None, token_file: Path | None) -> None:
    """Take a gateway's timestamps away, to verify them anywhere; no access token is needed."""
    new = keep_in(out, open_client(url, token_file))
    say(f"{new} timestamps are new in {out}")


def _stamps_from(timestamps: str, *, after: int = 0) -> Iterator[Stamped]:
    if timestamps.startswith(("http://", "https://")):
        # Without the access token: it belongs to --url, and these are open to everyone.
        return of_gateway(GatewayClient(timestamps), after=after)
    return of_folder(Path(timestamps), after=after)


def _apart(moments: Sequence[datetime]) -> timedelta:
    return max((after - before for before, after in pairwise(moments)), default=timedelta())


def pinned(authorities: Sequence[Path]) -> tuple[Certificate, ...]:
    """The roots in these files; raises click.UsageError where there is none, or KeyRefused."""
    if not authorities:
        raise click.UsageError("Name the root certificate of an authority with --authority.")
    return tuple(root for file in authorities for root in read_roots(file.read_bytes()))
