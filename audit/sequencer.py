"""Putting committed events into the tree, and proving what is in it.

1. Verify the newest checkpoint under the log's keys.
2. Rebuild the right edge of the tree from the store; its root must be the one signed, and no leaf
   may stand beyond it.
3. Have the signer (`audit.signing`) add the pending events to the tree that it knows; what it signs
   must verify, and be our tree. What it signed before a crash and nobody stored comes first.
4. ONE store transaction: leaves, tiles, checkpoint, and the removal of exactly those outbox rows.

A fork is never signed: whatever does not fit raises LogDoesNotFit and the store stays as it is. One
sequencer runs at a time (the caller holds the store's lock); if two do, the second one's `append`
fails on a leaf index that is taken.
"""

from collections.abc import Sequence

from audit.checkpoint import Checkpoint, claimed_checkpoint
from audit.edge import RightEdge
from audit.entry import Entry
from audit.errors import EntryRefused, LogDoesNotFit, OutOfRange
from audit.merkle import EMPTY_ROOT, leaf_hash
from audit.signing import Batch, Owed, TreeSigner
from audit.store import FullTile, LogStore, Pending
from audit.tiles import StoreSource
from audit.tree import TileTree

__all__ = [
    "FullTile",
    "LogStore",
    "Pending",
    "prove_consistency",
    "prove_inclusion",
    "sequence_once",
]

# Entries of at most 4,096 bytes: some 20 MB of memory, and a fraction of a second of work.
MOST_AT_ONCE = 5000
_ALL = 1 << 31


def sequence_once(
    store: LogStore,
    *,
    signer: TreeSigner,
    limit: int = MOST_AT_ONCE,
) -> Checkpoint | None:
    """Sequence up to `limit` pending events; return the new checkpoint, or None if none waited.

    Raises LogDoesNotFit where the store contradicts what was signed, EntryRefused for bytes in the
    outbox that are no entry or an event that is in the log already, and SignatureRefused or
    NoteUntrusted for a head of another key.
    """
    pending = store.pending(limit)
    if not pending:
        return None
    _require_new(store, pending)
    head = _verified_head(store, signer)
    edge = _fitting_edge(store, head)
    batch = _batch(head, pending)
    try:
        note = signer.sign(batch)
    except Owed as owed:
        batch, pending = owed.batch, _owed_rows(store, owed.batch)
        note = signer.sign(batch)
    tiles = list(edge.extend(batch.leaves))
    checkpoint = Checkpoint(head.origin, edge.size, edge.root())
    if signer.keys.checkpoint(note) != checkpoint:
        raise LogDoesNotFit("the signer signed another tree than is stored")
    store.append(
        first_index=head.size,
        pending=pending,
        leaf_hashes=batch.leaves,
        tiles=tiles,
        checkpoint=note,
    )
    return checkpoint


def prove_inclusion(store: LogStore, index: int, checkpoint_note: bytes) -> list[bytes]:
    """The proof that leaf `index` stands under this checkpoint. Raises OutOfRange.

    The checkpoint may be any that the log has signed.
    """
    size = claimed_checkpoint(checkpoint_note).size
    _require_reached(store, size)
    return TileTree(size, StoreSource(store)).inclusion(index)


def prove_consistency(store: LogStore, old_size: int, new_size: int) -> list[bytes]:
    """The proof that the tree of `new_size` begins with that of `old_size`. Raises OutOfRange."""
    _require_reached(store, new_size)
    return TileTree(new_size, StoreSource(store)).consistency(old_size)


def _batch(head: Checkpoint, pending: Sequence[Pending]) -> Batch:
    return Batch(head.size, tuple(leaf_hash(row.entry) for row in pending))


def _owed_rows(store: LogStore, batch: Batch) -> list[Pending]:
    """The rows of a batch that was signed and not stored, in its order."""
    waiting = {leaf_hash(row.entry): row for row in store.pending(_ALL)}
    try:
        return [waiting[leaf] for leaf in batch.leaves]
    except KeyError:
        fault = "what was signed last is not in the outbox: a backup was restored"
        raise LogDoesNotFit(fault) from None


def _verified_head(store: LogStore, signer: TreeSigner) -> Checkpoint:
    note = store.head()
    if note is None:
        return Checkpoint(signer.keys.keys[0].name, 0, EMPTY_ROOT)
    return signer.keys.checkpoint(note)


def _fitting_edge(store: LogStore, head: Checkpoint) -> RightEdge:
    edge = RightEdge.load(store, head.size)
    if edge.root() != head.root:
        raise LogDoesNotFit("the stored tree has another root than the one that was signed")
    if store.leaf_hashes(head.size, head.size + 1):
        raise LogDoesNotFit("the store holds leaves that no checkpoint covers")
    return edge


def _entry(row: Pending) -> Entry:
    # The outbox is in reach of every writer; what is not an entry must not be kept for ever.
    try:
        return Entry.from_bytes(row.entry)
    except EntryRefused as error:
        raise EntryRefused(f"outbox row {row.outbox_id}: {error}") from error


def _require_new(store: LogStore, pending: Sequence[Pending]) -> None:
    # The store would refuse them too, but what is signed must be sure to be stored.
    rows = {_entry(row).event_id: row.outbox_id for row in pending}
    if len(rows) != len(pending):
        raise EntryRefused("one event stands in the outbox twice")
    if known := store.known_events(list(rows)):
        named = sorted(rows[event_id] for event_id in known)
        raise EntryRefused(f"outbox row {named}: its event is in the log already")


def _require_reached(store: LogStore, size: int) -> None:
    head = store.head()
    if head is None or not 0 <= size <= claimed_checkpoint(head).size:
        raise OutOfRange("the log has no checkpoint of that size")
