"""Where timestamps are read from: a gateway, or a folder in which they were kept.

A folder has one for each size, named after it, which holds `checkpoint` (the note in the very
octets that were stamped) and one file an authority, `NAME.tsr`. Nothing read here is verified.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.durable import replace_file
from audit.errors import TimestampRefused
from audit.noteform import MAX_NOTE_BYTES
from audit.numerals import read_numeral
from audit.timestamp import MOST_TOKEN_BYTES
from gateway.client import GatewayClient
from gateway.timestamps import AUTHORITY_NAME

CHECKPOINT, TOKEN = "checkpoint", ".tsr"


@dataclass(frozen=True, slots=True)
class Stamped:
    """A token as it was found, over a note as it was found."""

    size: int
    authority: str
    note: bytes
    token: bytes


def of_folder(folder: Path, *, after: int = 0) -> Iterator[Stamped]:
    """Every timestamp in a folder over more than `after` entries, the smallest size first."""
    for size, place in sorted(_places(folder).items()):
        if size <= after:
            continue
        note = _read(place / CHECKPOINT, MAX_NOTE_BYTES)
        for file in sorted(place.glob(f"*{TOKEN}")):
            token = _read(file, MOST_TOKEN_BYTES)
            yield Stamped(size, file.name.removesuffix(TOKEN), note, token)


def of_gateway(client: GatewayClient, *, after: int = 0) -> Iterator[Stamped]:
    """Every timestamp of a gateway over more than `after` entries, the smallest size first.

    Raises TimestampRefused for a list that is none.
    """
    size, note = after, b""
    while listed := _listed(client, after):
        for found, name in listed:
            if found < size or found <= after:
                raise TimestampRefused("the gateway's list of timestamps runs back")
            if found > size:
                size, note = found, client.data(f"/v1/log/checkpoint/{found}")
            token = client.data(f"/v1/log/timestamps/{found}/{name}")
            yield Stamped(found, name, note, token)
        after = size


def keep_in(folder: Path, client: GatewayClient) -> int:
    """Add what a folder lacks of a gateway's timestamps; how many there were."""
    folder.mkdir(parents=True, exist_ok=True)
    # The last size once more: another authority may have stamped it since.
    after = max(max(_places(folder), default=0) - 1, 0)
    new = 0
    for each in of_gateway(client, after=after):
        place = folder / str(each.size)
        file = place / f"{each.authority}{TOKEN}"
        if file.exists():
            continue
        place.mkdir(exist_ok=True)
        replace_file(place / CHECKPOINT, each.note)
        replace_file(file, each.token)
        new += 1
    return new


def _places(folder: Path) -> dict[int, Path]:
    sizes = {place: read_numeral(place.name) for place in folder.iterdir() if place.is_dir()}
    return {size: place for place, size in sizes.items() if size is not None}


def _read(file: Path, limit: int) -> bytes:
    # A pipe or a device in a prepared folder would block us or never end.
    if not file.is_file():
        raise TimestampRefused(f"{file} is not there")
    with file.open("rb") as stream:
        return stream.read(limit + 1)


def _listed(client: GatewayClient, after: int) -> list[tuple[int, str]]:
    answer = client.get("/v1/log/timestamps", after=after).get("timestamps")
    if not isinstance(answer, list):
        raise TimestampRefused("the gateway lists no timestamps")
    return [_entry(each) for each in answer]


def _entry(each: Any) -> tuple[int, str]:
    # Size and name become paths, of the address and of the folder.
    match each:
        case {"size": int(size), "authority": str(name)} if AUTHORITY_NAME.fullmatch(name):
            return size, name
    raise TimestampRefused("the gateway's list of timestamps is malformed")
