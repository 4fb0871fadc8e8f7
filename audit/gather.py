"""From what a replay found wrong to a kit that convicts (`audit.evidence`), where there is one.

Not everything that is wrong is signed: a missing file, or a tile that its server has damaged,
proves nothing against the holder of the key. So each kit is checked as a stranger would before it
is handed out, and where none holds there is none.
"""

from collections.abc import Iterator, Sequence

from audit.checkpoint import claimed_checkpoint
from audit.errors import AuditError, Fault, LogTampered
from audit.evidence import (
    Conviction,
    Kit,
    altered_entry,
    check_kit,
    fork,
    no_entry,
    repeated,
    rewritten,
)
from audit.keyring import LogKeys
from audit.proof import TlogProof
from audit.proving import entry_at
from audit.tilepath import CHECKPOINT_PATH
from audit.tiles import TileSource
from audit.tree import TileTree


def gather(
    found: LogTampered, source: TileSource, *, keys: LogKeys, known: Sequence[bytes] = ()
) -> tuple[Kit, Conviction] | None:
    """The kit that proves what was found, and what it proves.

    `known` are the notes of earlier checkpoints. None where nothing signed is contradicted.
    """
    try:
        for kit in _candidates(found, source, source.read(CHECKPOINT_PATH), known):
            proven = _proven(kit, keys)
            if proven is not None:
                return kit, proven
    except AuditError:
        # The source itself is broken: what is missing there cannot become evidence.
        return None
    return None


def _proven(kit: Kit, keys: LogKeys) -> Conviction | None:
    try:
        return check_kit(kit, keys)
    except AuditError:
        return None


def _candidates(
    found: LogTampered, source: TileSource, head: bytes, known: Sequence[bytes]
) -> Iterator[Kit]:
    tree = TileTree(claimed_checkpoint(head).size, source)
    if found.fault in (Fault.FORKED, Fault.REWRITTEN):
        yield from _against(known, tree, source, head)
    elif found.index is not None and found.fault is Fault.REPEATED and found.earlier is not None:
        yield repeated(*(_carrying(tree, source, head, at) for at in (found.earlier, found.index)))
    elif found.index is not None and found.fault in (Fault.NO_ENTRY, Fault.ALTERED):
        yield no_entry(_carrying(tree, source, head, found.index))
        yield _altered(tree, source, head, found.index)


def _against(
    known: Sequence[bytes], tree: TileTree, source: TileSource, head: bytes
) -> Iterator[Kit]:
    for note in known:
        size = claimed_checkpoint(note).size
        if size == tree.size:
            yield fork(note, head)
        elif 0 < size < tree.size:
            yield rewritten(
                note,
                head,
                TileTree(size, source, published=tree.size).root(),
                tree.consistency(size),
            )


def _carrying(tree: TileTree, source: TileSource, head: bytes, index: int) -> TlogProof:
    served = entry_at(source, index, tree.size)
    return TlogProof(index, tuple(tree.inclusion(index)), head, served)


def _altered(tree: TileTree, source: TileSource, head: bytes, index: int) -> Kit:
    leaf = tree.node(0, index)
    proof = TlogProof(index, tuple(tree.inclusion(index)), head)
    return altered_entry(proof, leaf, entry_at(source, index, tree.size))
