"""Putting committed events into the tree, and proving what is in it.

1. Verify the newest checkpoint under our own key.
2. Rebuild the right edge of the tree from the store; its root must be the one signed, and no leaf
   may stand beyond it. Where a memory of what was signed is given, the head must extend that.
3. Add the pending events; sign the new root; verify the signature as everybody else will.
4. ONE store transaction: leaves, tiles, checkpoint, and the removal of exactly those outbox rows.
5. Remember what was published.

A fork is never signed: whatever does not fit raises LogDoesNotFit and the store stays as it is. One
sequencer runs at a time (the caller holds the store's lock); if two do, the second one's `append`
fails on a leaf index that is taken.
"""

from collections.abc import Sequence

from audit.checkpoint import Checkpoint, NoteSigner, claimed_checkpoint, sign_checkpoint
from audit.edge import RightEdge
from audit.entry import Entry
from audit.errors import EntryRefused, LogDoesNotFit, OutOfRange
from audit.memory import SignedMemory, require_remembered
from audit.merkle import EMPTY_ROOT, leaf_hash
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


def sequence_once(
    store: LogStore,
    *,
    signer: NoteSigner,
    limit: int = MOST_AT_ONCE,
    memory: SignedMemory | None = None,
) -> Checkpoint | None:
    """Sequence up to `limit` pending events; return the new checkpoint, or None if none waited.

    Raises LogDoesNotFit where the store contradicts what was signed, EntryRefused for bytes in the
    outbox that are no entry, and SignatureRefused or NoteUntrusted for a head of another key.
    """
    pending = store.pending(limit)
    if not pending:
        return None
    _require_distinct([_entry(row) for row in pending])
    leaves = [leaf_hash(row.entry) for row in pending]
    head = _verified_head(store, signer)
    if memory is not None:
        require_remembered(store, head, memory)
    edge = _fitting_edge(store, head)
    tiles = list(edge.extend(leaves))
    checkpoint = Checkpoint(head.origin, edge.size, edge.root())
    note = sign_checkpoint(checkpoint, signer)
    Checkpoint.verify(note, verifier=signer.verifier)
    store.append(
        first_index=head.size, pending=pending, leaf_hashes=leaves, tiles=tiles, checkpoint=note
    )
    if memory is not None:
        memory.keep(checkpoint)
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


def _verified_head(store: LogStore, signer: NoteSigner) -> Checkpoint:
    note = store.head()
    if note is None:
        return Checkpoint(signer.name, 0, EMPTY_ROOT)
    return Checkpoint.verify(note, verifier=signer.verifier)


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


def _require_distinct(entries: Sequence[Entry]) -> None:
    # An event that is in the log already is for the store to refuse: it has an index for that.
    if len({entry.event_id for entry in entries}) != len(entries):
        raise EntryRefused("one event stands in the outbox twice")


def _require_reached(store: LogStore, size: int) -> None:
    head = store.head()
    if head is None or not 0 <= size <= claimed_checkpoint(head).size:
        raise OutOfRange("the log has no checkpoint of that size")
