"""The log as it would be without an outbox: every writer keeps the tree, in its own transaction.

The right edge of the tree is one row, which each writer locks to its end; it adds a leaf, works out
the root and signs it. Nothing of this is in the gateway: it is what the outbox is measured against.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.merkle import leaf_hash, node_hash
from tests.audit.samples import ORIGIN, SIGNER

COLLECTED = "audit entries"
"""Where `gateway.store.entries` keeps them until the transaction ends."""

TABLES = """
CREATE TABLE bench_edge (one boolean PRIMARY KEY, size bigint, edge bytea, note bytea);
CREATE TABLE bench_leaf (index bigint PRIMARY KEY, entry bytea, leaf_hash bytea);
INSERT INTO bench_edge VALUES (true, 0, '', '');
"""
_EDGE = text("SELECT size, edge FROM bench_edge FOR UPDATE")
_GROWN = text("UPDATE bench_edge SET size = :size + 1, edge = :edge, note = :note")
_LEAF = text("INSERT INTO bench_leaf VALUES (:size, :entry, :leaf)")


def keep_inline(session: Session) -> None:
    """Put the one entry of a transaction into the tree there and then."""
    (entry,) = session.info.pop(COLLECTED)
    session.flush()
    data = entry.to_bytes()
    leaf = leaf_hash(data)
    size, edge = session.execute(_EDGE).one()
    hashes = [edge[at : at + 32] for at in range(0, len(edge), 32)]
    node, rest = leaf, size
    while rest & 1:
        node, rest = node_hash(hashes.pop(), node), rest >> 1
    hashes.append(node)
    root = hashes[-1]
    for each in reversed(hashes[:-1]):
        root = node_hash(each, root)
    note = sign_checkpoint(Checkpoint(ORIGIN, size + 1, root), SIGNER)
    session.execute(_GROWN, {"size": size, "edge": b"".join(hashes), "note": note})
    session.execute(_LEAF, {"size": size, "entry": data, "leaf": leaf})
