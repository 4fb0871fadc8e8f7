"""Bringing a certificate up to date: the union of what is kept and what its owner says later.

Takes from the newer copy only what the primary key itself signed: user IDs, subkeys, their
bindings and their revocations. Whatever else a copy carries, anybody may have put there: a foreign
subkey, or so many signatures by strangers that no revocation would fit in any more. Removes
nothing, so an older copy sent later brings no revoked key back. crypto.vetting judges, not this.
"""

from collections.abc import Set

import pysequoia
from cryptography.exceptions import InvalidSignature
from pysequoia.packet import Packet, PacketPile, Tag

from crypto.certificate import Certificate, load_certificate
from crypto.errors import CertificateRefused, MessageRefused, Weakness
from crypto.policy import REVOCATION_HASHES, STRONG_HASHES
from crypto.publickey import PublicKey
from crypto.signature import (
    BINDING,
    BINDING_REVOCATION,
    CERTIFICATION_REVOCATION,
    CERTIFICATIONS,
    DIRECT,
    KEY_REVOCATION,
    Signature,
    check,
    parse_signature,
)

_REVOCATIONS = frozenset({KEY_REVOCATION, BINDING_REVOCATION, CERTIFICATION_REVOCATION})
_ON_PRIMARY = frozenset({DIRECT, KEY_REVOCATION})
_ON_USER_ID = CERTIFICATIONS | {CERTIFICATION_REVOCATION}
_ON_SUBKEY = frozenset({BINDING, BINDING_REVOCATION})


def merge_certificates(kept: Certificate, update: Certificate) -> Certificate:
    """The kept certificate with everything that its owner added in the update.

    Equal to `kept`, to the octet, where the update says nothing new. Raises CertificateRefused:
    other-certificate where the primary keys differ, too-large where the union is.
    """
    if kept.fingerprint != update.fingerprint:
        sentence = f"The update is for {update.fingerprint}, another certificate."
        raise CertificateRefused((Weakness("other-certificate", sentence),))
    said = _own_word(update)
    # Not compared by octets: Sequoia adds hints on the issuer to signatures that it has checked.
    if said.keys() <= _own_word(kept).keys():
        return kept
    newer = pysequoia.Cert.from_bytes(b"".join(said.values()))
    return load_certificate(bytes(kept.sequoia.merge(newer)))


def _own_word(certificate: Certificate) -> dict[tuple[bytes, ...], bytes]:
    """The packets of the primary key, and of what it signed, each under what it says."""
    primary = certificate.assembled.primary.key
    said: dict[tuple[bytes, ...], bytes] = {}
    for head, signatures in _blocks(certificate.data):
        kinds, subject = _signable(head, primary)
        own = {
            # A back signature may stand outside the part that is signed, and counts all the same.
            (head.body, signature.hashed, *signature.embedded): bytes(packet)
            for packet in signatures
            if (signature := _signed(packet, kinds, subject, primary))
        }
        if own or head.tag == Tag.PublicKey:
            said |= {(head.body,): bytes(head)} | own
    return said


def _blocks(data: bytes) -> list[tuple[Packet, list[Packet]]]:
    """Each key or name with the signatures that follow it."""
    blocks: list[tuple[Packet, list[Packet]]] = []
    for packet in PacketPile.from_bytes(data):
        if packet.tag == Tag.Signature:
            blocks[-1][1].append(packet)
        else:
            blocks.append((packet, []))
    return blocks


def _signable(head: Packet, primary: PublicKey) -> tuple[Set[int], bytes]:
    """What the primary key signs of this packet, and in which kinds of signature.

    RFC 9580 section 5.2.4; nothing for a packet that no kind fits.
    """
    if head.tag == Tag.PublicKey:
        return _ON_PRIMARY, primary.hashed
    if head.tag == Tag.UserID:
        name = b"\xb4" + len(head.body).to_bytes(4, "big") + head.body
        return _ON_USER_ID, primary.hashed + name
    if head.tag == Tag.PublicSubkey:
        return _ON_SUBKEY, primary.hashed + b"\x99" + len(head.body).to_bytes(2, "big") + head.body
    return frozenset(), b""


def _signed(
    packet: Packet, kinds: Set[int], subject: bytes, primary: PublicKey
) -> Signature | None:
    """The signature in a packet, if the primary key made it on what it follows."""
    try:
        signature = parse_signature(packet.body)
    except MessageRefused:
        return None
    return signature if signature.kind in kinds and _holds(signature, subject, primary) else None


def _holds(signature: Signature, subject: bytes, primary: PublicKey) -> bool:
    revokes = signature.kind in _REVOCATIONS
    if revokes and signature.hash_id not in REVOCATION_HASHES:
        # Not to be checked here, but perhaps by Sequoia: losing a revocation would be worse.
        return signature.names(primary)
    if not revokes and signature.hash_id not in STRONG_HASHES:
        return False
    try:
        check(signature, subject, signer=primary)
    except (InvalidSignature, ValueError):
        return False
    return True
