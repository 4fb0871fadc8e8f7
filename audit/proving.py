"""Proofs that are made from published tiles, and are verified before anybody sees them.

The tiles come from anywhere; what comes out leads to a root that the log signed, or nothing does.
"""

from dataclasses import dataclass

from audit.checkpoint import Checkpoint
from audit.errors import ProofRefused
from audit.keyring import LogKeys
from audit.merkle import leaf_hash, verify_consistency, verify_inclusion
from audit.proof import TlogProof
from audit.store import TILE_WIDTH
from audit.tilepath import CHECKPOINT_PATH, tile_of
from audit.tiles import TileSource, read_entries
from audit.tree import TileTree


@dataclass(frozen=True, slots=True)
class Growth:
    """That a tree of `second` leaves begins with one of `first`: roots and proof, all verified."""

    first: int
    second: int
    first_root: bytes
    second_root: bytes
    proof: tuple[bytes, ...]
    checkpoint: bytes


def prove_entry(source: TileSource, index: int, keys: LogKeys) -> TlogProof:
    """The proof, carrying its entry, that it stands in the log. Raises ProofRefused, OutOfRange."""
    note = source.read(CHECKPOINT_PATH)
    head = keys.checkpoint(note)
    path = TileTree(head.size, source).inclusion(index)
    entry = entry_at(source, index, head.size)
    verify_inclusion(path, index=index, size=head.size, leaf=leaf_hash(entry), root=head.root)
    return TlogProof(index, tuple(path), note, entry)


def prove_growth(source: TileSource, first: int, second: int, keys: LogKeys) -> Growth:
    """The proof that the log of `second` entries extends that of `first`.

    Both belong to the tree that was signed last. Raises ProofRefused, OutOfRange.
    """
    note = source.read(CHECKPOINT_PATH)
    head = keys.checkpoint(note)
    later = _signed_root(source, second, head)
    proof = TileTree(second, source, published=head.size).consistency(first)
    earlier = TileTree(first, source, published=head.size).root()
    verify_consistency(proof, old_size=first, new_size=second, old_root=earlier, new_root=later)
    return Growth(first, second, earlier, later, tuple(proof), note)


def entry_at(source: TileSource, index: int, size: int) -> bytes:
    """One entry as it is served; nothing is verified."""
    return read_entries(source, tile_of(None, index // TILE_WIDTH, size))[index % TILE_WIDTH]


def _signed_root(source: TileSource, size: int, head: Checkpoint) -> bytes:
    if not 0 < size <= head.size:
        raise ProofRefused("the log has not signed a tree of that size")
    root = TileTree(size, source, published=head.size).root()
    proof = TileTree(head.size, source).consistency(size)
    verify_consistency(proof, old_size=size, new_size=head.size, old_root=root, new_root=head.root)
    return root
