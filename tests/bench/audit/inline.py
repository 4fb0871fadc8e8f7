"""The log as it would be without an outbox: every writer keeps the tree, in its own transaction.

The right edge of the tree is one row, which each writer locks to its end; it adds a leaf, works out
the root and has it signed. Nothing of this is in the gateway: it is what the outbox is measured
against. `KEY_AT_HAND` is the least that such a log could do, with the log's key in every process
that writes; `SIGNER` asks a signer's process, which remembers durably what it signed, as the
gateway's sequencer has to.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.merkle import leaf_hash, node_hash
from audit.signing import Batch, TreeSigner
from tests.audit import samples

COLLECTED = "audit entries"
"""Where `gateway.store.entries` keeps them until the transaction ends."""

KEY_AT_HAND, SIGNER = "key at hand", "signer"
TABLES = f"""
CREATE TABLE bench_edge (tree text PRIMARY KEY, size bigint, edge bytea, note bytea);
CREATE TABLE bench_leaf (tree text, index bigint, entry bytea, leaf_hash bytea,
    PRIMARY KEY (tree, index));
INSERT INTO bench_edge VALUES ('{KEY_AT_HAND}', 0, '', ''), ('{SIGNER}', 0, '', '');
"""
_EDGE = text("SELECT size, edge FROM bench_edge WHERE tree = :tree FOR UPDATE")
_GROWN = text(
    "UPDATE bench_edge SET size = :size + 1, edge = :edge, note = :note WHERE tree = :tree"
)
_LEAF = text("INSERT INTO bench_leaf VALUES (:tree, :size, :entry, :leaf)")


@dataclass(frozen=True)
class Inline:
    """One tree, and who signs it: the size before, the new leaf and the new root make a note."""

    tree: str
    sign: Callable[[int, bytes, bytes], bytes]

    def keep(self, session: Session) -> None:
        """Put the one entry of a transaction into the tree there and then."""
        (entry,) = session.info.pop(COLLECTED)
        session.flush()
        data = entry.to_bytes()
        leaf = leaf_hash(data)
        size, edge = session.execute(_EDGE, {"tree": self.tree}).one()
        hashes = [edge[at : at + 32] for at in range(0, len(edge), 32)]
        node, rest = leaf, size
        while rest & 1:
            node, rest = node_hash(hashes.pop(), node), rest >> 1
        hashes.append(node)
        root = hashes[-1]
        for each in reversed(hashes[:-1]):
            root = node_hash(each, root)
        given = {"tree": self.tree, "size": size}
        grown = {"edge": b"".join(hashes), "note": self.sign(size, leaf, root)}
        session.execute(_GROWN, given | grown)
        session.execute(_LEAF, given | {"entry": data, "leaf": leaf})


def key_at_hand() -> Inline:
    """The tree of writers who hold the log's key themselves."""
    return Inline(
        KEY_AT_HAND,
        lambda size, _, root: sign_checkpoint(
            Checkpoint(samples.ORIGIN, size + 1, root), samples.SIGNER
        ),
    )


def with_signer(signer: TreeSigner) -> Inline:
    """The tree of writers who ask the process that holds the key."""
    return Inline(SIGNER, lambda size, leaf, _: signer.sign(Batch(size, (leaf,))))
