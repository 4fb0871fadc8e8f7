"""The tree against the published vectors of RFC 6962 verifiers, and against its own definition."""

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.edge import RightEdge
from audit.errors import ProofRefused
from audit.merkle import (
    EMPTY_ROOT,
    leaf_hash,
    node_hash,
    subtree_root,
    verify_consistency,
    verify_inclusion,
)

VECTORS = Path(__file__).parent.parent / "vectors" / "rfc6962"


def vectors(kind: str) -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted((VECTORS / kind).rglob("*.json"))]


def hashes(encoded: list[str] | None) -> list[bytes]:
    return [b64decode(digest) for digest in encoded or []]


def inclusion_fault(vector: dict[str, Any], *, index: int, size: int) -> ProofRefused | None:
    """Why the inclusion proof of a vector is refused, if it is."""
    try:
        verify_inclusion(
            hashes(vector["proof"]),
            index=index,
            size=size,
            leaf=b64decode(vector["leafHash"] or ""),
            root=b64decode(vector["root"] or ""),
        )
    except ProofRefused as error:
        return error
    return None


def consistency_fault(vector: dict[str, Any], *, old: int, new: int) -> ProofRefused | None:
    """Why the consistency proof of a vector is refused, if it is."""
    try:
        verify_consistency(
            hashes(vector["proof"]),
            old_size=old,
            new_size=new,
            old_root=b64decode(vector["root1"] or ""),
            new_root=b64decode(vector["root2"] or ""),
        )
    except ProofRefused as error:
        return error
    return None


def test_every_inclusion_vector_has_its_declared_outcome() -> None:
    ran = 0
    for vector in vectors("inclusion"):
        fault = inclusion_fault(vector, index=vector["leafIdx"], size=vector["treeSize"])
        assert (fault is not None) == vector["wantErr"], (vector["desc"], fault)
        ran += 1
    assert ran == 98


def test_every_consistency_vector_has_its_declared_outcome() -> None:
    ran = 0
    for vector in vectors("consistency"):
        fault = consistency_fault(vector, old=vector["size1"], new=vector["size2"])
        assert (fault is not None) == vector["wantErr"], (vector["desc"], fault)
        ran += 1
    assert ran == 98


def test_every_subtree_inclusion_vector_has_its_declared_outcome() -> None:
    """A proof in the subtree [start, end) is one in a tree of its own, counted from its start.

    A subtree begins at a multiple of its width, taken up to a power of two; which ranges are one is
    for whoever names it, here the test (draft-ietf-plants-merkle-tree-certs, "Subtrees").
    """
    ran = 0
    for vector in vectors("subtreeinclusion"):
        start, width = vector["start"], vector["end"] - vector["start"]
        is_subtree = width > 0 and start % (1 << (width - 1).bit_length()) == 0
        fault = inclusion_fault(vector, index=vector["leafIdx"] - start, size=width)
        if not is_subtree:
            fault = ProofRefused("no subtree")
        assert (fault is not None) == vector["wantErr"], (vector["desc"], fault)
        ran += 1
    assert ran == 204


def test_every_subtree_consistency_vector_of_a_log_has_its_declared_outcome() -> None:
    """Those of subtrees that begin at leaf 0 and hold leaves, which is a log's consistency.

    Others begin elsewhere: they serve certificates that carry a part of a log, which nothing here
    makes or reads, so that there is no code to run them on. And to these vectors an empty subtree
    is consistent with anything, which those of RFC 6962 (above) demand to be refused.
    """
    ran = elsewhere = empty = 0
    for vector in vectors("subtreeconsistency"):
        if vector["start"] != 0:
            elsewhere += 1
            continue
        if vector["end"] == 0 and not vector["wantErr"]:
            empty += 1
            continue
        fault = consistency_fault(vector, old=vector["end"], new=vector["size"])
        assert (fault is not None) == vector["wantErr"], (vector["desc"], fault)
        ran += 1
    assert (ran, elsewhere, empty) == (100, 16, 2)


@pytest.mark.parametrize("size", [0, 1, 31, 33, 64])
def test_a_hash_that_is_not_32_bytes_is_refused(size: int) -> None:
    """Of 31 and 33 bytes, a node over two hashes could be cut in another place."""
    leaf, sibling = leaf_hash(b"leaf"), bytes(size)
    root = node_hash(leaf, sibling)
    with pytest.raises(ProofRefused, match="32 bytes"):
        verify_inclusion([sibling], index=0, size=2, leaf=leaf, root=root)
    with pytest.raises(ProofRefused, match="32 bytes"):
        verify_consistency([sibling], old_size=1, new_size=2, old_root=leaf, new_root=root)


def test_hashes_are_those_of_the_standard() -> None:
    assert sha256(b"").digest() == EMPTY_ROOT
    assert leaf_hash(b"x") == sha256(b"\x00x").digest()
    assert node_hash(b"l" * 32, b"r" * 32) == sha256(b"\x01" + b"l" * 32 + b"r" * 32).digest()


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 section 2.1 defines it, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = naive_root(leaves[:split]), naive_root(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    assert subtree_root([leaf_hash(leaf) for leaf in leaves]) == naive_root(leaves)


@pytest.mark.parametrize("size", [255, 256, 257, 511, 512, 700, 1025])
def test_the_right_edge_has_the_root_of_the_definition(size: int) -> None:
    leaves = [str(number).encode() for number in range(size)]
    edge = RightEdge()
    tiles = list(edge.extend(map(leaf_hash, leaves)))
    assert edge.root() == naive_root(leaves)
    assert edge.size == size
    assert len([tile for tile in tiles if tile.level == 0]) == size // 256
    assert [tile.number for tile in tiles] == list(range(size // 256))
