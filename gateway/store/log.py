"""PostgreSQL behind the audit log: the outbox that business transactions fill, and the log itself.

The outbox is drained by exactly the rows that were read, never by "everything after the last id":
a transaction that took a low id may commit late, and a cursor would skip it for ever.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from audit.sequencer import FullTile, Pending
from gateway.store.database import Database, unavailable
from gateway.store.leaves import add_leaves, add_tiles, take_from_outbox
from gateway.store.tables import CheckpointRow, LeafRow, OutboxRow, PublicationRow, TileRow

# Any constant will do; it only has to be the same in every sequencer.
SEQUENCER_LOCK = 0x6C6F67


def leaf_index(session: Session, event_id: UUID) -> int | None:
    """Where an event stands in the log, or None while it waits in the outbox."""
    return session.scalars(select(LeafRow.index).where(LeafRow.event_id == event_id)).first()


def pending_entry(session: Session, event_id: UUID) -> bytes | None:
    """The bytes of an event, sequenced or not."""
    waiting = session.scalars(select(OutboxRow.entry).where(OutboxRow.event_id == event_id)).first()
    if waiting is not None:
        return waiting
    return session.scalars(select(LeafRow.entry).where(LeafRow.event_id == event_id)).first()


def log_entries(session: Session, start: int, stop: int) -> Sequence[bytes]:
    """The bytes of the leaves start to stop - 1."""
    query = select(LeafRow.entry).where(LeafRow.index >= start, LeafRow.index < stop)
    return session.scalars(query.order_by(LeafRow.index)).all()


@contextmanager
def sequencer_lock(database: Database) -> Iterator[bool]:
    """Hold the one sequencer's lock for the block; False if another process has it.

    A session lock on a connection of its own: it falls with the process, however that dies.
    """
    with unavailable(), database.engine.connect() as connection:
        lock = {"lock": SEQUENCER_LOCK}
        held = connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), lock).scalar_one()
        connection.commit()
        try:
            yield bool(held)
        finally:
            # The connection would go back to the pool and keep the lock; closing it gives it up.
            connection.invalidate()


class PostgresLog:
    """`audit.sequencer.LogStore` over PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pending(self, limit: int) -> Sequence[Pending]:
        """Committed outbox rows, by id: near the order of commit, within an agency exactly that."""
        with self._database.transaction() as session:
            query = select(OutboxRow.id, OutboxRow.entry).order_by(OutboxRow.id).limit(limit)
            return [Pending(*row) for row in session.execute(query)]

    def head(self) -> bytes | None:
        """The newest signed checkpoint."""
        with self._database.transaction() as session:
            newest = select(CheckpointRow.note).order_by(CheckpointRow.size.desc()).limit(1)
            return session.scalars(newest).first()

    def published(self) -> bytes | None:
        """The newest checkpoint that everybody may see: where there are witnesses, cosigned."""
        return self.publication() or self.head()

    def publication(self) -> bytes | None:
        """The newest that was published by itself; None where no witness was ever asked."""
        with self._database.transaction() as session:
            newest = select(PublicationRow.note).order_by(PublicationRow.size.desc()).limit(1)
            return session.scalars(newest).first()

    def publish(self, size: int, note: bytes) -> None:
        """Publish a checkpoint; the first note of a size stands."""
        with self._database.transaction() as session:
            session.execute(
                insert(PublicationRow)
                .values(size=size, note=note, published_at=datetime.now(UTC))
                .on_conflict_do_nothing()
            )

    def leaf_hashes(self, start: int, stop: int) -> Sequence[bytes]:
        """Leaf hashes start to stop - 1."""
        with self._database.transaction() as session:
            query = select(LeafRow.leaf_hash).where(LeafRow.index >= start, LeafRow.index < stop)
            return session.scalars(query.order_by(LeafRow.index)).all()

    def entries(self, start: int, stop: int) -> Sequence[bytes]:
        """Entry bytes start to stop - 1."""
        with self._database.transaction() as session:
            return log_entries(session, start, stop)

    def tile(self, level: int, number: int) -> FullTile | None:
        """A complete tile, or None."""
        with self._database.transaction() as session:
            row = session.get(TileRow, (level, number))
            if row is None:
                return None
            return FullTile(level=level, number=number, hashes=row.hashes, root=row.root)

    def tile_roots(self, level: int, start: int, stop: int) -> Sequence[bytes]:
        """The roots of the full tiles start to stop - 1 (`audit.store.TileRoots`)."""
        with self._database.transaction() as session:
            query = select(TileRow.root).where(
                TileRow.level == level, TileRow.number >= start, TileRow.number < stop
            )
            return session.scalars(query.order_by(TileRow.number)).all()

    def known_events(self, event_ids: Sequence[str]) -> Collection[str]:
        """Those of some events that are in the log."""
        with self._database.transaction() as session:
            query = select(LeafRow.event_id).where(LeafRow.event_id.in_(map(UUID, event_ids)))
            return {str(event_id) for event_id in session.scalars(query)}

    def append(
        self,
        *,
        first_index: int,
        pending: Sequence[Pending],
        leaf_hashes: Sequence[bytes],
        tiles: Sequence[FullTile],
        checkpoint: bytes,
    ) -> None:
        """One transaction; dense primary keys make a second sequencer fail instead of fork."""
        size = first_index + len(pending)
        with self._database.transaction() as session:
            add_leaves(session, first_index, pending, leaf_hashes)
            add_tiles(session, tiles)
            take_from_outbox(session, pending)
            session.add(CheckpointRow(size=size, note=checkpoint, signed_at=datetime.now(UTC)))
