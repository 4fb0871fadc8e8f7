"""What convicts a log, or whoever serves it: a folder that a stranger can check.

A kit makes one claim, named in its file `claim`:

    fork            two signed checkpoints of one size have two roots
    rewritten       the tree of a later signed checkpoint does not begin with that of an earlier one
    repeated-event  one event stands at two places of a signed tree
    no-entry        a signed tree holds bytes that are no entry
    altered-entry   the entry that was served is not the leaf that was signed

The first four convict whoever holds the log's key: nobody else can make them. The last convicts
whoever served the file. `check_kit` believes nothing that a kit says: an accusation that does not
hold under the keys of the reader is refused, so that nobody can invent one against an honest log.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from audit.checkpoint import Checkpoint
from audit.entry import Entry
from audit.errors import AccusationRefused, EntryRefused, ProofRefused
from audit.keyring import LogKeys
from audit.merkle import leaf_hash, verify_consistency, verify_inclusion
from audit.noteform import MAX_NOTE_BYTES
from audit.proof import TlogProof
from audit.text64 import decode64, decode_hashes, encode64

CLAIM = "claim"
MOST_BYTES = 2 * MAX_NOTE_BYTES


@dataclass(frozen=True, slots=True)
class Kit:
    """A claim and the files that prove it."""

    claim: str
    files: Mapping[str, bytes]

    def write(self, folder: Path, story: str) -> None:
        """Write a new folder, with a README and a check that needs only a shell and openssl."""
        folder.mkdir(parents=True)
        for name, data in {**self.files, CLAIM: f"{self.claim}\n".encode()}.items():
            (folder / name).write_bytes(data)
        (folder / "check.sh").write_text(_data("check.sh"), "utf-8")
        readme = _data("kit.txt").format(claim=self.claim, story=story)
        (folder / "README.txt").write_text(readme, "utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Kit":
        """Read a folder from anybody; raises AccusationRefused."""
        claim = _file(folder, CLAIM).decode("ascii", "replace").strip()
        if claim not in CLAIMS:
            raise AccusationRefused("the folder makes no claim that we know")
        names, _ = CLAIMS[claim]
        return cls(claim, {name: _file(folder, name) for name in names})


@dataclass(frozen=True, slots=True)
class Conviction:
    """A claim that holds, in one sentence, and the signed states that it is about."""

    claim: str
    sentence: str
    checkpoints: tuple[Checkpoint, ...]


def check_kit(kit: Kit, keys: LogKeys) -> Conviction:
    """Return what a kit proves under these keys.

    Raises AccusationRefused where the log is not contradicted, or the error of what is not proven.
    """
    _, check = CLAIMS[kit.claim]
    return check(kit.files, keys)


def fork(one: bytes, other: bytes) -> Kit:
    """Two checkpoints of one size."""
    return Kit("fork", {"one.checkpoint": one, "other.checkpoint": other})


def rewritten(old: bytes, new: bytes, beginning: bytes, proof: list[bytes]) -> Kit:
    """`beginning` is the root that the new tree has over as many entries as the old one."""
    lines = "".join(f"{encode64(digest)}\n" for digest in (beginning, *proof))
    return Kit(
        "rewritten", {"old.checkpoint": old, "new.checkpoint": new, "beginning": lines.encode()}
    )


def repeated(first: TlogProof, second: TlogProof) -> Kit:
    """Two proofs that carry their entries."""
    return Kit("repeated-event", {**_apart("first", first), **_apart("second", second)})


def no_entry(proof: TlogProof) -> Kit:
    """A proof that carries the bytes."""
    return Kit("no-entry", _apart("signed", proof))


def altered_entry(proof: TlogProof, leaf: bytes, served: bytes) -> Kit:
    """The proof of the leaf that the tree holds, and the entry that was served in its place."""
    return Kit(
        "altered-entry",
        {
            "tree.tlog-proof": proof.to_text().encode(),
            "tree.leaf": encode64(leaf).encode(),
            "served.entry": served,
        },
    )


def _check_fork(given: Mapping[str, bytes], keys: LogKeys) -> Conviction:
    one = keys.signed(given["one.checkpoint"])
    other = keys.signed(given["other.checkpoint"])
    if one.size != other.size or one.root == other.root:
        raise AccusationRefused("the two checkpoints do not contradict each other")
    return Conviction("fork", f"The log signed two roots for {one.size} entries.", (one, other))


def _check_rewritten(given: Mapping[str, bytes], keys: LogKeys) -> Conviction:
    old = keys.signed(given["old.checkpoint"])
    new = keys.signed(given["new.checkpoint"])
    beginning, *proof = _hashes(given["beginning"])
    if old.size >= new.size:
        raise AccusationRefused("the old checkpoint is not the smaller one")
    verify_consistency(
        proof, old_size=old.size, new_size=new.size, old_root=beginning, new_root=new.root
    )
    if beginning == old.root:
        raise AccusationRefused("the new tree begins with the old one, as it should")
    sentence = f"The log of {new.size} entries does not begin with the {old.size} signed before."
    return Conviction("rewritten", sentence, (old, new))


def _check_repeated(given: Mapping[str, bytes], keys: LogKeys) -> Conviction:
    found = []
    for name in ("first", "second"):
        entry = given[f"{name}.entry"]
        proof = _proof(given[f"{name}.tlog-proof"])
        found.append((_included(proof, leaf_hash(entry), keys), proof.index, entry))
    (one, first, entry), (other, second, again) = found
    if one != other or first == second:
        raise AccusationRefused("these are not two places of one tree")
    event = Entry.from_bytes(entry).event_id
    if Entry.from_bytes(again).event_id != event:
        raise AccusationRefused("these are two events")
    return Conviction("repeated-event", f"Entries {first} and {second} are one event.", (one,))


def _check_no_entry(given: Mapping[str, bytes], keys: LogKeys) -> Conviction:
    proof = _proof(given["signed.tlog-proof"])
    checkpoint = _included(proof, leaf_hash(given["signed.entry"]), keys)
    try:
        Entry.from_bytes(given["signed.entry"])
    except EntryRefused as error:
        sentence = f"The log signed a leaf {proof.index} that is no entry: {error}."
        return Conviction("no-entry", sentence, (checkpoint,))
    raise AccusationRefused("the bytes are an entry, as they should be")


def _check_altered(given: Mapping[str, bytes], keys: LogKeys) -> Conviction:
    proof = _proof(given["tree.tlog-proof"])
    leaf = decode64(given["tree.leaf"].decode("ascii", "replace"))
    if leaf is None:
        raise AccusationRefused("the leaf is not base 64 in its one spelling")
    checkpoint = _included(proof, leaf, keys)
    if leaf_hash(given["served.entry"]) == leaf:
        raise AccusationRefused("what was served is what was signed")
    sentence = f"What was served as entry {proof.index} is not what the log signed."
    return Conviction("altered-entry", sentence, (checkpoint,))


CLAIMS: dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, bytes], LogKeys], Conviction]]] = {
    "fork": (("one.checkpoint", "other.checkpoint"), _check_fork),
    "rewritten": (("old.checkpoint", "new.checkpoint", "beginning"), _check_rewritten),
    "repeated-event": (
        ("first.tlog-proof", "first.entry", "second.tlog-proof", "second.entry"),
        _check_repeated,
    ),
    "no-entry": (("signed.tlog-proof", "signed.entry"), _check_no_entry),
    "altered-entry": (("tree.tlog-proof", "tree.leaf", "served.entry"), _check_altered),
}


def _apart(name: str, proof: TlogProof) -> dict[str, bytes]:
    # A stranger's tools hash a file; and what a kit says twice could be said in two ways.
    bare = replace(proof, extra=None)
    return {f"{name}.tlog-proof": bare.to_text().encode(), f"{name}.entry": proof.extra or b""}


def _included(proof: TlogProof, leaf: bytes, keys: LogKeys) -> Checkpoint:
    checkpoint = keys.signed(proof.checkpoint)
    verify_inclusion(
        proof.hashes, index=proof.index, size=checkpoint.size, leaf=leaf, root=checkpoint.root
    )
    return checkpoint


def _proof(raw: bytes) -> TlogProof:
    return TlogProof.from_text(raw.decode("utf-8", "replace"))


def _hashes(raw: bytes) -> tuple[bytes, ...]:
    found = decode_hashes(raw.decode("ascii", "replace").splitlines())
    if found is None:
        raise ProofRefused("a hash is not 32 bytes of base 64 in its one spelling")
    if not found:
        raise ProofRefused("the proof holds no hash")
    return found


def _file(folder: Path, name: str) -> bytes:
    path = folder / name
    # A pipe or a device in a prepared folder would block us or never end.
    if not path.is_file():
        raise AccusationRefused(f"the folder holds no file {name}")
    with path.open("rb") as stream:
        data = stream.read(min(os.fstat(stream.fileno()).st_size, MOST_BYTES) + 1)
    if len(data) > MOST_BYTES:
        raise AccusationRefused(f"{name} is larger than it can be")
    return data


def _data(name: str) -> str:
    return files("audit").joinpath("data", name).read_text("utf-8")
