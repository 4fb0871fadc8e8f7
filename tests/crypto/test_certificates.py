"""Certificates: what is enrolled, what is refused and for which reasons, all of them at once."""

from datetime import datetime, timedelta
from io import BytesIO

import pysequoia
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysequoia.packet import PacketPile, Tag

from crypto import (
    Certificate,
    CertificateRefused,
    generate_key,
    load_certificate,
    public_part,
    read_certificate,
    seal,
)
from crypto.components import assemble
from crypto.framing import PUBLIC_SUBKEY, SIGNATURE
from crypto.vetting import encryption_key, find_weaknesses
from crypto.writing import packet
from tests.crypto.gnupg import Gnupg
from tests.crypto.handmade import signature, signing_key
from tests.crypto.parties import AGENCY, GATEWAY, MADE, NOW, SECRET, STRANGER

EARLY = "20240101T000000"


def codes(data: bytes, *, now: datetime = NOW) -> list[str]:
    """The codes of all weaknesses found; none for a good certificate."""
    try:
        read_certificate(data, now=now)
    except CertificateRefused as refused:
        return [weakness.code for weakness in refused.weaknesses]
    return []


def test_a_good_certificate_is_read_in_both_forms() -> None:
    secret = generate_key("Anna <anna@example.org>", now=MADE, valid_for=timedelta(days=2))
    armored = public_part(secret)
    certificate = read_certificate(armored, now=NOW)
    assert read_certificate(certificate.data, now=NOW) == certificate
    assert certificate.user_ids == ("Anna <anna@example.org>",)
    assert certificate.created_at == MADE
    assert certificate.expires_at == MADE + timedelta(days=2)
    assert certificate.signing_keys == (certificate.fingerprint,)
    assert len(certificate.encryption_keys) == 1
    assert len(certificate.fingerprint) == 40
    assert certificate.fingerprint == certificate.fingerprint.upper()


@pytest.mark.parametrize("name", ["rsa@example.org", "curve@example.org", "nist@example.org"])
def test_gpg_certificates_are_read_as_gpg_lists_them(gpg: Gnupg, name: str) -> None:
    certificate = read_certificate(gpg.export(name), now=NOW)
    listed = gpg("--with-colons", "--list-keys", name).decode().splitlines()
    fingerprints = [line.split(":")[9] for line in listed if line.startswith("fpr:")]
    assert [certificate.fingerprint, *certificate.encryption_keys] == fingerprints


@pytest.mark.parametrize("name", ["rsa@example.org", "curve@example.org", "nist@example.org"])
def test_sequoia_would_encrypt_to_the_same_keys(gpg: Gnupg, name: str) -> None:
    certificate = read_certificate(gpg.export(name), now=NOW)
    made = pysequoia.encrypt(b"x", recipients=[certificate.sequoia], armor=False)
    wrapped = [one for one in PacketPile.from_bytes(made) if one.tag == Tag.PKESK]
    named = [bytes(one.body)[1:9].hex().upper() for one in wrapped]
    assert [fingerprint[-16:] for fingerprint in certificate.encryption_keys] == named


def test_private_keys_are_refused(gpg: Gnupg) -> None:
    ours = generate_key("Anna <anna@example.org>", now=MADE, valid_for=None)
    assert codes(ours) == ["secret-key"]
    assert codes(gpg.export_secret("rsa@example.org")) == ["secret-key"]


def test_what_is_not_one_certificate_is_refused() -> None:
    assert codes(AGENCY.certificate.data + STRANGER.certificate.data) == ["several-certificates"]
    assert codes(b"") == ["malformed"]
    assert codes(b"hello") == ["malformed"]
    assert codes(bytes(256 * 1024 + 1)) == ["too-large"]
    assert codes(packet(SIGNATURE, signature())) == ["malformed"]
    assert codes(AGENCY.certificate.data[: len(AGENCY.certificate.data) // 2]) != []


def test_expiry_is_judged_by_the_given_time() -> None:
    data = AGENCY.certificate.data
    assert codes(data, now=MADE + timedelta(days=29)) == []
    assert "expired" in codes(data, now=MADE + timedelta(days=30))
    assert "not-yet-valid" in codes(data, now=MADE - timedelta(minutes=6))


def test_short_keys_and_old_kinds_are_refused(gpg: Gnupg) -> None:
    gpg.new_key("Short <short@example.org>", algorithm="rsa2048")
    assert "weak-key" in codes(gpg.export("short@example.org"))
    gpg("--passphrase", "", "--quick-gen-key", "Dsa <dsa@example.org>", "dsa2048", "default")
    assert "weak-key" in codes(gpg.export("dsa@example.org"))
    strong = gpg.new_key("Mixed <mixed@example.org>", algorithm="ed25519")
    gpg.add_subkey(strong, "rsa2048", usage="encr")
    assert codes(gpg.export("mixed@example.org")) == ["weak-key"]


def test_expired_and_revoked_gpg_keys_are_refused(gpg: Gnupg) -> None:
    gpg.new_key("Late <late@example.org>", algorithm="ed25519", expires="1y", at=EARLY)
    assert "expired" in codes(gpg.export("late@example.org"))
    fingerprint = gpg.new_key("Gone <gone@example.org>", algorithm="ed25519")
    assert codes(gpg.export("gone@example.org")) == []
    gpg.revoke(fingerprint)
    assert "revoked" in codes(gpg.export("gone@example.org"))


def test_all_weaknesses_are_named_together(gpg: Gnupg) -> None:
    name = "Worst <worst@example.org>"
    fingerprint = gpg.new_key(name, algorithm="rsa2048", expires="1y", at=EARLY)
    gpg.revoke(fingerprint)
    assert {"weak-key", "expired", "revoked"} <= set(codes(gpg.export("worst@example.org")))


def test_self_signatures_with_sha1_do_not_count(gpg: Gnupg) -> None:
    weak = ("--cert-digest-algo", "SHA1", "--passphrase", "")
    gpg(*weak, "--quick-gen-key", "Sha <sha@example.org>", "rsa3072", "default", "never")
    found = codes(gpg.export("sha@example.org"))
    assert "weak-hash" in found
    assert "policy" in found


def test_a_certificate_must_sign_and_receive(gpg: Gnupg) -> None:
    gpg("--passphrase", "", "--quick-gen-key", "S <only-signs@example.org>", "ed25519", "sign")
    assert codes(gpg.export("only-signs@example.org")) == ["no-encryption-key"]
    gpg("--passphrase", "", "--quick-gen-key", "C <certifies@example.org>", "ed25519", "cert")
    assert codes(gpg.export("certifies@example.org")) == ["no-signing-key", "no-encryption-key"]


def test_a_revoked_or_expired_subkey_is_not_used(gpg: Gnupg) -> None:
    fingerprint = gpg.new_key("Turn <turn@example.org>", algorithm="ed25519")
    gpg.add_subkey(fingerprint, "cv25519", usage="encr", expires="2d")
    before = read_certificate(gpg.export("turn@example.org"), now=NOW)
    assert len(before.encryption_keys) == 2
    commands = b"key 1\nrevkey\ny\n0\n\ny\nsave\n"
    gpg("--command-fd", "0", "--edit-key", fingerprint, given=commands)
    after = read_certificate(gpg.export("turn@example.org"), now=NOW)
    assert len(after.encryption_keys) == 1
    assert set(after.encryption_keys) < set(before.encryption_keys)
    late = NOW + timedelta(days=3)
    assert codes(after.data, now=late) == ["no-encryption-key"]
    assert encryption_key(after, now=NOW).fingerprint == after.encryption_keys[0]
    with pytest.raises(CertificateRefused):
        encryption_key(after, now=late)


def test_a_signing_subkey_cannot_be_adopted() -> None:
    """Somebody else's key, bound as one's own, would make that person's signatures one's own."""
    victim = STRANGER.certificate.assembled.primary.key
    subject = signing_key().public.hashed + victim.hashed
    flags = bytes([2, 27, 0x02])
    binding = packet(SIGNATURE, signature(subject, kind=0x18, subpackets=flags))
    adopted = AGENCY.certificate.data + packet(PUBLIC_SUBKEY, victim.body) + binding
    certificate = load_certificate(adopted)
    assert victim.fingerprint not in certificate.signing_keys
    # Sequoia would leave it out too; ours must hold without that.
    found = {one.key.fingerprint: one.may_sign for one in assemble(adopted).components}
    assert found[victim.fingerprint] is False
    assert certificate.signing_keys == AGENCY.certificate.signing_keys


def test_a_subkey_ends_with_the_signature_that_binds_it() -> None:
    key = STRANGER.certificate.assembled.primary.key
    subject = signing_key().public.hashed + key.hashed
    flags, a_minute = bytes([2, 27, 0x02]), bytes([5, 3, 0, 0, 0, 60])
    bound = signature(subject, kind=0x18, subpackets=flags + a_minute, at=MADE)
    joined = AGENCY.certificate.data + packet(PUBLIC_SUBKEY, key.body) + packet(SIGNATURE, bound)
    ends = {one.key.fingerprint: one.expires_at for one in assemble(joined).components}
    assert ends[key.fingerprint] == MADE + timedelta(minutes=1)


def test_an_unbound_subkey_does_not_count() -> None:
    """Anybody can append a subkey to a public certificate; only the owner can bind it."""
    foreign = GATEWAY.certificate.assembled.components[1].key
    subject = signing_key().public.hashed + foreign.hashed
    forged = signature(
        subject, by=STRANGER.keyring.signing_key(now=NOW), kind=0x18, subpackets=b"\x02\x1b\x0c"
    )
    data = AGENCY.certificate.data + packet(PUBLIC_SUBKEY, foreign.body)
    certificate = load_certificate(data + packet(SIGNATURE, forged))
    assert certificate.encryption_keys == AGENCY.certificate.encryption_keys


def test_a_revocation_with_sha1_counts() -> None:
    key = signing_key().public
    head = packet(6, key.body)
    revocation = packet(SIGNATURE, signature(key.hashed, kind=0x20, hash_id=2))
    data = head + revocation + AGENCY.certificate.data[len(head) :]
    certificate = load_certificate(data)
    assert certificate.assembled.primary.revoked
    assert "revoked" in [one.code for one in find_weaknesses(certificate, now=NOW)]


def test_nothing_is_encrypted_to_a_key_past_its_time() -> None:
    sink = BytesIO()
    late = NOW + timedelta(days=31)
    with pytest.raises(CertificateRefused) as refused:
        seal(
            BytesIO(SECRET),
            sink,
            recipients=[GATEWAY.certificate, AGENCY.certificate],
            context="s",
            now=late,
        )
    assert [weakness.code for weakness in refused.value.weaknesses] == ["expired"]
    assert sink.getvalue() == b""


def survives(data: bytes) -> Certificate | None:
    try:
        return read_certificate(data, now=NOW)
    except CertificateRefused:
        return None


@given(st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    assert survives(noise) is None


@given(st.integers(0, len(AGENCY.certificate.data) * 8 - 1))
def test_a_bit_turned_anywhere_adds_nothing(bit: int) -> None:
    changed = bytearray(AGENCY.certificate.data)
    changed[bit // 8] ^= 1 << bit % 8
    certificate = survives(bytes(changed))
    if certificate:
        assert certificate.fingerprint == AGENCY.certificate.fingerprint
        assert certificate.user_ids == AGENCY.certificate.user_ids
        assert certificate.encryption_keys == AGENCY.certificate.encryption_keys
        assert certificate.expires_at == AGENCY.certificate.expires_at
