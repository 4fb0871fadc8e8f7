"""Proofs made from tiles, checked by verifiers that know nothing of tiles."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.edge import RightEdge
from audit.errors import OutOfRange, ProofRefused, TileMissing, TileRefused
from audit.merkle import leaf_hash, subtree_root, verify_consistency, verify_inclusion
from audit.store import FullTile
from audit.tree import TileTree

MOST = 1_400


class TileDict:
    """The tiles of a growing tree, by path, with partial ones of every size."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.files: dict[str, bytes] = {}
        edge = RightEdge()
        for leaf in leaves:
            for tile in edge.extend([leaf]):
                self._put(tile)
            for level, hashes in enumerate(edge.levels):
                number = (edge.size >> 8 * level) // 256
                if hashes:
                    self.files[f"tile/{level}/{number:03}.p/{len(hashes)}"] = b"".join(hashes)

    def _put(self, tile: FullTile) -> None:
        self.files[f"tile/{tile.level}/{tile.number:03}"] = tile.hashes

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise TileMissing(path)
        return self.files[path]


LEAVES = [leaf_hash(str(number).encode()) for number in range(MOST)]
TILES = TileDict(LEAVES)
sizes = st.integers(1, MOST)


def altered(proof: list[bytes], bit: int) -> list[bytes]:
    joined = bytearray(b"".join(proof))
    joined[bit // 8 % len(joined)] ^= 1 << bit % 8
    return [bytes(joined[at : at + 32]) for at in range(0, len(joined), 32)]


@given(sizes)
def test_the_root_follows_from_the_tiles(size: int) -> None:
    assert TileTree(size, TILES).root() == subtree_root(LEAVES[:size])


def test_a_tree_without_leaves_has_a_root_and_no_proofs() -> None:
    empty = TileTree(0, TILES)
    assert empty.root() == subtree_root([])
    for ask in (empty.inclusion, empty.consistency):
        with pytest.raises(OutOfRange):
            ask(0)
    with pytest.raises(OutOfRange):
        TileTree(-1, TILES)


@given(sizes, st.data())
def test_inclusion_proofs_verify_and_no_bit_can_be_altered(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof, root = TileTree(size, TILES).inclusion(index), subtree_root(LEAVES[:size])
    verify_inclusion(proof, index=index, size=size, leaf=LEAVES[index], root=root)
    if not proof:
        return
    spoilt = altered(proof, data.draw(st.integers(0, len(proof) * 256 - 1)))
    for wrong in (spoilt, proof[:-1], proof[1:], [*proof, root], [root, *proof]):
        with pytest.raises(ProofRefused):
            verify_inclusion(wrong, index=index, size=size, leaf=LEAVES[index], root=root)
    with pytest.raises(ProofRefused):
        verify_inclusion(proof, index=(index + 1) % size, size=size, leaf=LEAVES[index], root=root)


@given(sizes, st.data())
def test_consistency_proofs_verify_and_no_bit_can_be_altered(
    size: int, data: st.DataObject
) -> None:
    old = data.draw(st.integers(1, size))
    proof = TileTree(size, TILES).consistency(old)
    roots = {"old_root": subtree_root(LEAVES[:old]), "new_root": subtree_root(LEAVES[:size])}
    verify_consistency(proof, old_size=old, new_size=size, **roots)
    if not proof:
        assert old == size
        return
    spoilt = altered(proof, data.draw(st.integers(0, len(proof) * 256 - 1)))
    for wrong in (spoilt, proof[:-1], proof[1:], [*proof, bytes(32)]):
        with pytest.raises(ProofRefused):
            verify_consistency(wrong, old_size=old, new_size=size, **roots)
    swapped = {"old_root": roots["new_root"], "new_root": roots["old_root"]}
    with pytest.raises(ProofRefused):
        verify_consistency(proof, old_size=old, new_size=size, **swapped)


@settings(max_examples=30)
@given(st.integers(2, MOST), st.data())
def test_another_past_has_no_consistency_proof(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size - 1))
    past = LEAVES[:old]
    past[data.draw(st.integers(0, old - 1))] = leaf_hash(b"another")
    with pytest.raises(ProofRefused):
        verify_consistency(
            TileTree(size, TILES).consistency(old),
            old_size=old,
            new_size=size,
            old_root=subtree_root(past),
            new_root=subtree_root(LEAVES[:size]),
        )


@pytest.mark.parametrize("length", [0, 31, 33])
def test_hashes_of_another_length_are_refused(length: int) -> None:
    good = {"leaf": LEAVES[0], "root": subtree_root(LEAVES[:2])}
    for spoilt in ({"leaf": bytes(length)}, {"root": bytes(length)}):
        with pytest.raises(ProofRefused):
            verify_inclusion([LEAVES[1]], index=0, size=2, **(good | spoilt))
    with pytest.raises(ProofRefused):
        verify_inclusion([bytes(length)], index=0, size=2, **good)


def test_a_tile_of_the_wrong_length_is_refused() -> None:
    class Short(TileDict):
        def read(self, path: str) -> bytes:
            return super().read(path)[:-1]

    with pytest.raises(TileRefused):
        TileTree(300, Short(LEAVES[:300])).root()


def test_a_full_tile_stands_in_for_a_partial_one_that_is_gone() -> None:
    tiles = TileDict(LEAVES[:600])
    tiles.files = {path: data for path, data in tiles.files.items() if "/000.p/" not in path}
    tiles.files["tile/1/000.p/1"] = tiles.files["tile/0/000"][:0] + subtree_root(LEAVES[:256])
    assert TileTree(200, tiles).root() == subtree_root(LEAVES[:200])
