"""Merging: what an owner adds is taken, what a stranger adds is not, and nothing is ever lost."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysequoia.packet import PacketPile, Tag

from crypto import (
    Certificate,
    CertificateRefused,
    load_certificate,
    merge_certificates,
    read_certificate,
)
from crypto.framing import PUBLIC_KEY, PUBLIC_SUBKEY, SIGNATURE, USER_ID
from crypto.vetting import find_weaknesses
from crypto.writing import packet
from tests.crypto.gnupg import Gnupg
from tests.crypto.handmade import HASHES, signature
from tests.crypto.parties import AGENCY, GATEWAY, NOW, STRANGER

KEPT = AGENCY.certificate
KEY = KEPT.assembled.primary.key
FOREIGN = GATEWAY.certificate.assembled.components[1].key


def stranger_signs(subject: bytes, kind: int, **more: bytes) -> bytes:
    """A signature packet by somebody else's key."""
    return packet(
        SIGNATURE, signature(subject, by=STRANGER.keyring.signing_key(now=NOW), kind=kind, **more)
    )


def revoked(hash_id: int = 10) -> Certificate:
    """The agency's certificate, revoked by the agency."""
    return after_primary(packet(SIGNATURE, signature(KEY.hashed, kind=0x20, hash_id=hash_id)))


def after_primary(signatures: bytes) -> Certificate:
    """The agency's certificate with packets that follow its primary key."""
    head = packet(PUBLIC_KEY, KEY.body)
    return load_certificate(head + signatures + KEPT.data[len(head) :])


def codes(certificate: Certificate) -> list[str]:
    return [weakness.code for weakness in find_weaknesses(certificate, now=NOW)]


def test_the_same_again_changes_nothing() -> None:
    assert merge_certificates(KEPT, KEPT) == KEPT


def test_a_revocation_is_taken_and_an_older_copy_does_not_undo_it() -> None:
    merged = merge_certificates(KEPT, revoked())
    assert merged.assembled.primary.revoked
    assert "revoked" in codes(merged)
    assert merge_certificates(merged, KEPT) == merged
    assert merge_certificates(merged, revoked()) == merged


@pytest.mark.parametrize("hash_id", [2, 11, 14])
def test_a_revocation_is_not_lost_for_its_hash(
    hash_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SHA-1, SHA-224, and SHA3-512, which only Sequoia can check."""
    monkeypatch.setitem(HASHES, 14, "sha3_512")
    merged = merge_certificates(KEPT, revoked(hash_id))
    assert merged.sequoia.is_revoked
    assert "revoked" in codes(merged)


def test_another_certificate_is_no_update() -> None:
    with pytest.raises(CertificateRefused) as refused:
        merge_certificates(KEPT, STRANGER.certificate)
    assert [weakness.code for weakness in refused.value.weaknesses] == ["other-certificate"]


def test_a_foreign_subkey_is_not_grafted() -> None:
    """Unbound, bound by a stranger, or bound by a damaged signature of the owner."""
    subject = KEY.hashed + FOREIGN.hashed
    flags = bytes([2, 27, 0x0C])
    good = signature(subject, kind=0x18, subpackets=flags)
    graft = packet(PUBLIC_SUBKEY, FOREIGN.body)
    for binding in (
        b"",
        stranger_signs(subject, 0x18, subpackets=flags),
        packet(SIGNATURE, good[:-2] + bytes(2)),
    ):
        assert merge_certificates(KEPT, load_certificate(KEPT.data + graft + binding)) == KEPT
    # The same graft with a good binding is taken: it was the binding that was missing.
    owner = load_certificate(KEPT.data + graft + packet(SIGNATURE, good))
    assert FOREIGN.fingerprint in merge_certificates(KEPT, owner).encryption_keys


def test_what_strangers_sign_is_left_out() -> None:
    """Else a flood of it would fill the certificate until no revocation fits."""
    flood = b"".join(
        stranger_signs(KEY.hashed, 0x1F, subpackets=bytes([3, 100, at >> 8, at & 255]))
        for at in range(1000)
    )
    flooded = after_primary(flood)
    assert len(flooded.data) > 100_000
    assert merge_certificates(KEPT, flooded) == KEPT
    name = b"Police of somewhere else <data@police.example.org>"
    subject = KEY.hashed + b"\xb4" + len(name).to_bytes(4, "big") + name
    named = KEPT.data + packet(USER_ID, name) + stranger_signs(subject, 0x10)
    assert merge_certificates(KEPT, load_certificate(named)) == KEPT


def test_of_a_mixed_update_only_the_owners_part_is_taken() -> None:
    graft = packet(PUBLIC_SUBKEY, FOREIGN.body)
    mixed = load_certificate(revoked().data + graft)
    assert len(tags(mixed)) == len(tags(revoked())) + 1
    merged = merge_certificates(KEPT, mixed)
    assert merged.assembled.primary.revoked
    assert len(tags(merged)) == len(tags(revoked()))


def test_a_stranger_cannot_revoke() -> None:
    update = after_primary(stranger_signs(KEY.hashed, 0x20))
    assert merge_certificates(KEPT, update) == KEPT


def test_a_signature_with_sha1_is_not_taken() -> None:
    """A collision with SHA-1 could be anything that its owner never meant to sign."""
    update = after_primary(packet(SIGNATURE, signature(KEY.hashed, kind=0x1F, hash_id=2)))
    assert merge_certificates(KEPT, update) == KEPT


@given(st.integers(0, len(revoked().data) * 8 - 1))
def test_a_bit_turned_in_an_update_adds_nothing_else(bit: int) -> None:
    """What the owner did not sign does not get in, whatever is changed on the way."""
    changed = bytearray(revoked().data)
    changed[bit // 8] ^= 1 << bit % 8
    try:
        merged = merge_certificates(KEPT, load_certificate(bytes(changed)))
    except CertificateRefused:
        return
    assert merged.user_ids == KEPT.user_ids
    assert merged.encryption_keys == KEPT.encryption_keys
    assert merged.signing_keys in (KEPT.signing_keys, ())
    assert len(tags(merged)) <= len(tags(revoked()))


def tags(certificate: Certificate) -> list[Tag]:
    return [one.tag for one in PacketPile.from_bytes(certificate.data)]


def test_gpg_extends_adds_and_revokes(gpg: Gnupg) -> None:
    """The whole life of a key as gpg leads it, every copy sent in every order."""
    name = "Life <life@example.org>"
    fingerprint = gpg.new_key(name, algorithm="ed25519", expires="30d")
    copies = [read_certificate(gpg.export(name), now=NOW)]
    gpg("--quick-set-expire", fingerprint, "1y")
    gpg("--quick-set-expire", fingerprint, "1y", "*")
    copies.append(load_certificate(gpg.export(name)))
    gpg.add_subkey(fingerprint, "ed25519", usage="sign")
    copies.append(load_certificate(gpg.export(name)))
    gpg.revoke(fingerprint)
    copies.append(load_certificate(gpg.export(name)))
    first, extended, grown, gone = copies

    longer = merge_certificates(first, extended)
    assert longer.expires_at is not None
    assert longer.expires_at > NOW + timedelta(days=300)
    assert codes(longer) == []
    assert merge_certificates(longer, first) == longer
    two = merge_certificates(longer, grown)
    assert len(two.signing_keys) == 2
    assert codes(merge_certificates(two, gone)) == ["revoked"]
    backwards = merge_certificates(merge_certificates(merge_certificates(gone, grown), first), two)
    assert backwards.data == merge_certificates(two, gone).data


def test_a_minimal_copy_removes_nothing(gpg: Gnupg) -> None:
    """`export-minimal` leaves out older signatures; what is kept keeps them."""
    name = "Minimal <minimal@example.org>"
    fingerprint = gpg.new_key(name, algorithm="ed25519", expires="30d")
    first = load_certificate(gpg.export(name))
    gpg("--quick-set-expire", fingerprint, "1y")
    small = load_certificate(gpg("--export-options", "export-minimal", "--export", name))
    merged = merge_certificates(first, small)
    packets = {bytes(one) for one in PacketPile.from_bytes(merged.data)}
    assert {bytes(one) for one in PacketPile.from_bytes(first.data)} <= packets
    assert len(packets) > len(tags(first))
