"""The worked example of docs/audit-log.md: three entries, and everything that follows from them.

python -m tests.docs.audit_example prints what stands between its two markers on the page.
"""

from collections.abc import Iterator

from audit.merkle import leaf_hash, node_hash
from audit.text64 import encode64
from audit.tiles import StoreSource
from tests.audit.careless import sequence
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import SIGNER, event


def example() -> str:
    """The text of the example."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    store = MemoryStore()
    for numbers in ((0, 1), (2,)):
        for number in numbers:
            store.enqueue(event(number, agency_counter=number).to_bytes())
        sequence(store, signer=SIGNER)
    source = StoreSource(store)
    entries = [entry for entry, _ in store.leaves]
    leaves = [leaf_hash(entry) for entry in entries]
    pair = node_hash(leaves[0], leaves[1])
    bundle = source.read("tile/entries/000.p/3")
    yield "The verifier key, pinned by whoever verifies:"
    yield from _block(SIGNER.vkey)
    yield f"Three entries, each one line of {len(entries[0])} bytes:"
    yield from _block(*(entry.decode() for entry in entries))
    length = f"`{bundle[:2].hex()}` in hexadecimal"
    yield f"`tile/entries/000.p/3` begins with a length, {length}, and the first entry:"
    yield from _block(f"{bundle[:34].hex()} …  {len(bundle)} bytes")
    yield "`tile/0/000.p/3`, 96 bytes: SHA-256 of a zero byte and the entry, for each of the three:"
    yield from _block(*(leaf.hex() for leaf in leaves))
    yield "The node over the first two (SHA-256 of `01` and both); the root, over it and the last:"
    yield from _block(pair.hex(), node_hash(pair, leaves[2]).hex())
    yield "`checkpoint`, with the root in base 64:"
    yield from _block(store.checkpoints[-1].decode().rstrip("\n"))
    yield "The checkpoint that was signed before, over two entries:"
    yield from _block(store.checkpoints[0].decode().rstrip("\n"))
    yield "That entry 1 stands in the tree of three: its sibling, then that of the node above:"
    yield from _block(encode64(leaves[0]), encode64(leaves[2]))
    yield "That the tree of three begins with that of two, whose root is a node of it: the other:"
    yield from _block(encode64(leaves[2]))


def _block(*lines: str) -> Iterator[str]:
    yield from ("", "```", *lines, "```", "")


if __name__ == "__main__":
    print(example(), end="")
