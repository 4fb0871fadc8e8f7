"""A log of invented events in a folder, as many as one likes, made without a store."""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from random import Random

from audit.actions import Action
from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.edge import RightEdge
from audit.entry import Entry
from audit.merkle import leaf_hash
from audit.store import LEVELS_A_TILE, TILE_WIDTH
from audit.tilepath import TilePath
from audit.tiles import pack_bundle
from gateway.flow.trail import uuid7
from tests.audit.samples import ORIGIN, SIGNER, START

ACTIONS = (
    Action.SUBMISSION_RECEIVED,
    Action.SUBMISSION_OPENED,
    Action.SUBMISSION_VALIDATED,
    Action.SUBMISSION_STORED,
    Action.REPORT_READ,
)


def write_log(folder: Path, size: int) -> Path:
    """Write a log as `export_tiles` does; half of the entries come a little out of order."""
    edge = RightEdge()
    bundle: list[bytes] = []
    for entry in entries(size):
        bundle.append(entry)
        if len(bundle) == TILE_WIDTH:
            _add(folder, edge, bundle)
            bundle = []
    if bundle:
        _add(folder, edge, bundle)
    for level, hashes in enumerate(edge.levels):
        if hashes:
            number = (size >> LEVELS_A_TILE * level) // TILE_WIDTH
            _put(folder / str(TilePath(level, number, len(hashes))), b"".join(hashes))
    head = Checkpoint(ORIGIN, size, edge.root())
    _put(folder / "checkpoint", sign_checkpoint(head, SIGNER))
    return folder


def _add(folder: Path, edge: RightEdge, bundle: list[bytes]) -> None:
    path = TilePath(None, edge.size // TILE_WIDTH, len(bundle))
    _put(folder / str(path), pack_bundle(bundle))
    for tile in edge.extend(map(leaf_hash, bundle)):
        _put(folder / str(TilePath(tile.level, tile.number)), tile.hashes)


def _put(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def entries(size: int) -> Iterator[bytes]:
    rng, now = Random(size), START
    for number in range(size):
        now += timedelta(milliseconds=rng.randrange(60))
        late = now - timedelta(milliseconds=rng.randrange(40))
        time = late.replace(microsecond=late.microsecond // 1000 * 1000)
        yield Entry(
            event_id=str(uuid7(time, rng.randbytes(10))),
            time=time,
            action=ACTIONS[number % len(ACTIONS)],
            outcome="success",
            actor=rng.randbytes(16).hex(),
            actor_type="agency",
            auth_method="token",
            source=rng.randbytes(16).hex(),
            agency=f"POL-E{23000000 + number % 43:08}",
            object_type="submission",
            object_id=str(uuid7(time, rng.randbytes(10))),
            object_sha256=sha256(number.to_bytes(8, "big")).hexdigest(),
            request_id=rng.randbytes(8).hex(),
            standard="CTDS 1.0",
            software="ctds-gateway/0.1.0",
            agency_counter=number // 43,
        ).to_bytes()
