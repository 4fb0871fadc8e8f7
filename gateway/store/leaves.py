"""Rows of the log in bulk: PostgreSQL's COPY, on the connection of the caller's transaction.

The sequencer is the one writer of these tables, and everything that is recorded waits for it; one
object and one INSERT a leaf would make it three times slower (`make bench-audit`).
"""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from psycopg import sql
from psycopg.errors import UniqueViolation
from sqlalchemy.orm import Session

from audit.entry import event_id_of
from audit.errors import LogDoesNotFit
from audit.store import FullTile, Pending
from gateway.store.database import raw_connection

LEAF = {"index": "int8", "event_id": "uuid", "entry": "bytea", "leaf_hash": "bytea"}
TILE = {"level": "int4", "number": "int8", "hashes": "bytea", "root": "bytea"}


def add_leaves(
    session: Session, first_index: int, pending: Sequence[Pending], leaf_hashes: Sequence[bytes]
) -> None:
    """Add leaves from `first_index` on; the entries were checked by whoever hashed them.

    Raises LogDoesNotFit where a leaf of one of these indexes, or of one of these events, is there:
    another sequencer is at work.
    """
    pairs = enumerate(zip(pending, leaf_hashes, strict=True), start=first_index)
    rows = ((at, UUID(event_id_of(row.entry)), row.entry, digest) for at, (row, digest) in pairs)
    try:
        _copy(session, "log_leaf", LEAF, rows)
    except UniqueViolation as error:
        raise LogDoesNotFit("a leaf of it is there: another sequencer is at work") from error


def add_tiles(session: Session, tiles: Iterable[FullTile]) -> None:
    """Add full tiles."""
    rows = ((tile.level, tile.number, tile.hashes, tile.root) for tile in tiles)
    _copy(session, "log_tile", TILE, rows)


def take_from_outbox(session: Session, pending: Sequence[Pending]) -> None:
    """Remove exactly these rows.

    Raises where one is gone: then somebody else took it, and it would stand in the log twice.
    """
    ids = [row.outbox_id for row in pending]
    with raw_connection(session).cursor() as cursor:
        cursor.execute("DELETE FROM audit_outbox WHERE id = ANY(%s)", [ids], binary=True)
        if cursor.rowcount != len(ids):
            raise LookupError("rows of the outbox were taken by somebody else")


def _copy(
    session: Session, table: str, columns: dict[str, str], rows: Iterator[tuple[object, ...]]
) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), names
    )
    with raw_connection(session).cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)
