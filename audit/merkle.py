"""The Merkle tree of RFC 6962 section 2.1: hashing, and the verification of proofs.

Owns no storage and trusts nothing: whoever checks a proof needs this module, `hashlib` and the
root that a trusted key signed. Verification follows RFC 9162 sections 2.1.3.2 and 2.1.4.2, and
refuses every hash that is not 32 bytes, every proof too short or too long, and index or size
outside the tree.
"""

from collections.abc import Sequence
from hashlib import sha256

from audit.errors import ProofRefused

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one leaf. The prefix keeps an inner node from passing as an entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two children."""
    return sha256(b"\x01" + left + right).digest()


def subtree_root(hashes: Sequence[bytes]) -> bytes:
    """The root over consecutive nodes of one level; the last may stand for a smaller remainder.

    Pairing neighbours and carrying an odd one up gives the splits of section 2.1, at the largest
    power of two below the width, without recursion.
    """
    if not hashes:
        return EMPTY_ROOT
    row = hashes
    while len(row) > 1:
        pairs = zip(row[::2], row[1::2], strict=False)
        above = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
        if len(row) % 2:
            above.append(row[-1])
        row = above
    return row[0]


def verify_inclusion(
    proof: Sequence[bytes], *, index: int, size: int, leaf: bytes, root: bytes
) -> bytes:
    """Return the root under which the leaf hash provably stands at `index`, or raise ProofRefused.

    RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise ProofRefused("the index lies outside the tree")
    _require_hashes([leaf, root, *proof])
    position, last, reached = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofRefused("the proof is too long")
        if position % 2 or position == last:
            reached = node_hash(sibling, reached)
            position, last = _skip_promotions(position, last)
        else:
            reached = node_hash(reached, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofRefused("the proof is too short")
    if reached != root:
        raise ProofRefused("the proof leads to another root")
    return root


def verify_consistency(
    proof: Sequence[bytes], *, old_size: int, new_size: int, old_root: bytes, new_root: bytes
) -> bytes:
    """Return the new root, whose tree provably begins with the old one, or raise ProofRefused.

    RFC 9162 section 2.1.4.2. An empty old tree is refused: everything extends it, so a proof from
    it would say nothing, and a caller that passed 0 by mistake would believe itself safe.
    """
    if not 0 <= old_size <= new_size:
        raise ProofRefused("the sizes are not those of an earlier and a later tree")
    if old_size == new_size:
        return _same_tree(proof, new_size, old_root, new_root)
    if old_size == 0 or not proof:
        raise ProofRefused("nothing is shown about the earlier tree")
    _require_hashes([old_root, new_root, *proof])
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    position, last = old_size - 1, new_size - 1
    while position % 2:
        position, last = position >> 1, last >> 1
    old_reached = new_reached = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofRefused("the proof is too long")
        if position % 2 or position == last:
            old_reached = node_hash(sibling, old_reached)
            new_reached = node_hash(sibling, new_reached)
            position, last = _skip_promotions(position, last)
        else:
            new_reached = node_hash(new_reached, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofRefused("the proof is too short")
    if old_reached != old_root or new_reached != new_root:
        raise ProofRefused("the proof leads to other roots")
    return new_root


def _skip_promotions(position: int, last: int) -> tuple[int, int]:
    # A right-edge node without a sibling stands for itself on the levels above.
    while position and not position % 2:
        position, last = position >> 1, last >> 1
    return position, last


def _same_tree(proof: Sequence[bytes], size: int, old_root: bytes, new_root: bytes) -> bytes:
    if proof:
        raise ProofRefused("a tree needs no proof against itself")
    if size == 0 and new_root != EMPTY_ROOT:
        raise ProofRefused("an empty tree has only one root")
    if old_root != new_root:
        raise ProofRefused("two roots for one size: the log has forked")
    return new_root


def _require_hashes(hashes: Sequence[bytes]) -> None:
    # A 31- or 33-byte "hash" would move the border between the children of a node.
    if any(len(digest) != HASH_BYTES for digest in hashes):
        raise ProofRefused("a hash is not 32 bytes long")
