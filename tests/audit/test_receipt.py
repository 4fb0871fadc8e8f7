"""Receipts: what they prove, and everything they must not be bent to."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.errors import (
    AuditError,
    CheckpointRefused,
    EntryRefused,
    NoteUntrusted,
    ProofRefused,
    ReceiptRefused,
)
from audit.merkle import leaf_hash
from audit.proof import TlogProof
from audit.receipt import Receipt, VerifiedReceipt, make_receipt, verify_receipt
from audit.sequencer import prove_inclusion
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import ORIGIN, OTHER_KEY, OTHER_LOG, SIGNER, event, log_of

LOG = log_of(40)
SHA = f"{17:064x}"


def receipt_for(store: MemoryStore, index: int) -> Receipt:
    note = store.checkpoints[-1]
    return make_receipt(store.leaves[index][0], index, prove_inclusion(store, index, note), note)


GOOD = receipt_for(LOG, 17)
TEXT = GOOD.to_text()


EXAMPLE = """\
c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

\u2014 example.com/fancylog hI2DJw==
"""


def test_the_example_of_the_specification_has_its_form() -> None:
    # The signatures are cut short there, so that nothing can be believed.
    proof = TlogProof.from_text(EXAMPLE)
    assert (proof.index, len(proof.hashes)) == (73_894, 5)
    assert proof.to_text() == EXAMPLE
    with pytest.raises(ReceiptRefused, match="extra"):
        TlogProof.from_text(EXAMPLE.replace("W4tYXJ\n", "W4tYX\n"))


def verified(text: str) -> VerifiedReceipt:
    return verify_receipt(text, verifier=SIGNER.verifier)


def refused(receipt: Receipt | str, error: type[AuditError]) -> None:
    text = receipt if isinstance(receipt, str) else receipt.to_text()
    with pytest.raises(error):
        verified(text)


@pytest.mark.parametrize("size", [1, 2, 3, 256, 257])
def test_a_receipt_proves_its_entry(size: int) -> None:
    store = log_of(size)
    text = receipt_for(store, size - 1).to_text()
    result = verify_receipt(text, verifier=SIGNER.verifier, ciphertext_sha256=f"{size - 1:064x}")
    assert result.entry == event(size - 1)
    assert (result.index, result.checkpoint.size) == (size - 1, size)


def test_the_text_is_that_of_the_specification() -> None:
    lines = TEXT.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2] == "index 17"
    assert TEXT.endswith("\n\n" + LOG.checkpoints[-1].decode())
    assert Receipt.from_text(TEXT) == GOOD


def test_a_receipt_is_for_one_ciphertext() -> None:
    assert verify_receipt(TEXT, verifier=SIGNER.verifier, ciphertext_sha256=SHA)
    for other in (f"{18:064x}", "", SHA[:-1], "\u00e9"):
        with pytest.raises(ReceiptRefused):
            verify_receipt(TEXT, verifier=SIGNER.verifier, ciphertext_sha256=other)


def test_an_entry_without_a_ciphertext_does_not_match_one() -> None:
    store = MemoryStore()
    entry = event(1, object_sha256=None).to_bytes()
    note = sign_checkpoint(Checkpoint(ORIGIN, 1, leaf_hash(entry)), SIGNER)
    store.leaves, store.checkpoints = [(entry, leaf_hash(entry))], [note]
    text = receipt_for(store, 0).to_text()
    assert verified(text)
    with pytest.raises(ReceiptRefused):
        verify_receipt(text, verifier=SIGNER.verifier, ciphertext_sha256=SHA)


def test_a_receipt_for_another_leaf_is_refused() -> None:
    refused(replace(GOOD, entry=event(18).to_bytes()), ProofRefused)
    refused(replace(GOOD, index=18), ProofRefused)
    refused(replace(GOOD, index=40), ProofRefused)
    refused(replace(GOOD, proof=receipt_for(LOG, 18).proof), ProofRefused)


def test_a_receipt_of_another_log_or_key_is_refused() -> None:
    refused(receipt_for(log_of(40, signer=OTHER_LOG), 17), NoteUntrusted)
    refused(receipt_for(log_of(40, signer=OTHER_KEY), 17), NoteUntrusted)


def test_a_receipt_of_another_origin_under_our_key_is_refused() -> None:
    text = LOG.checkpoints[-1].decode().split("\n\n")[0].replace(ORIGIN, "other.example") + "\n"
    refused(replace(GOOD, checkpoint=f"{text}\n{SIGNER.sign(text)}".encode()), CheckpointRefused)


def test_a_receipt_under_another_checkpoint_is_refused() -> None:
    refused(replace(GOOD, checkpoint=log_of(41).checkpoints[-1]), ProofRefused)
    refused(replace(GOOD, checkpoint=log_of(39).checkpoints[-1]), ProofRefused)


def test_an_inner_node_does_not_pass_as_an_entry() -> None:
    # Without the prefixes of RFC 6962, two sibling hashes would be an entry one level up.
    left, right = (digest for _, digest in LOG.leaves[16:18])
    refused(replace(GOOD, entry=left + right, index=8, proof=GOOD.proof[1:]), ProofRefused)


def test_a_proven_leaf_that_is_no_entry_is_refused() -> None:
    leaf = b'{"name":"A Child"}'
    note = sign_checkpoint(Checkpoint(ORIGIN, 1, leaf_hash(leaf)), SIGNER)
    refused(Receipt(leaf, 0, (), note), EntryRefused)


FIRST_HASH = TEXT.split("\n")[3]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        TEXT.replace("@v1", "@v2"),
        "\n" + TEXT,
        TEXT.replace("extra ", "Extra "),
        TEXT.replace("index 17", "index 017"),
        TEXT.replace("index 17", "index +17"),
        TEXT.replace("index 17", "index  17"),
        TEXT.replace("index 17", "index 17 "),
        TEXT.replace("index 17\n", ""),
        TEXT.replace("index 17", "17"),
        TEXT.replace("index 17", "index \u0661\u0667"),
        TEXT.replace(FIRST_HASH, FIRST_HASH.rstrip("=")),
        TEXT.replace(FIRST_HASH, FIRST_HASH[:40]),
        TEXT.replace(FIRST_HASH, FIRST_HASH + " "),
        TEXT.replace(FIRST_HASH, FIRST_HASH[:20] + "\r" + FIRST_HASH[20:]),
        TEXT.replace(FIRST_HASH, (FIRST_HASH + "\n") * 64 + FIRST_HASH),
        TEXT.replace("\n", "\r\n"),
        TEXT + "\ud800",
        TEXT + "x" * 300_000,
        TlogProof(GOOD.index, GOOD.proof, GOOD.checkpoint).to_text(),
    ],
)
def test_what_is_not_exactly_a_receipt_is_refused(text: str) -> None:
    refused(text, ReceiptRefused)


def test_a_hash_has_one_spelling() -> None:
    # 32 bytes leave two unused bits in the last character; setting one changes no byte.
    other = FIRST_HASH[:-2] + chr(ord(FIRST_HASH[-2]) + 1) + "="
    refused(TEXT.replace(FIRST_HASH, other), ReceiptRefused)


@given(st.integers(0, len(TEXT) - 1), st.characters())
def test_no_character_of_a_receipt_can_be_altered(position: int, character: str) -> None:
    if TEXT[position] == character:
        return
    with pytest.raises(AuditError):
        verified(TEXT[:position] + character + TEXT[position + 1 :])


def test_proofs_without_extra_data_keep_their_form() -> None:
    proof = TlogProof(3, GOOD.proof, GOOD.checkpoint)
    assert TlogProof.from_text(proof.to_text()) == proof
