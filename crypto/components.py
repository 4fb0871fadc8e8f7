"""What a certificate's own signatures say of its keys: bindings, usage, expiry, revocation.

Only signatures by the primary key count, checked here with OpenSSL (RFC 9580 sections 5.2.1 and
10.1). A signing subkey must have signed back, or anybody could adopt another's subkey and pass
that person's signatures for one's own. Does not judge by time: the caller compares with `now`.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO

from cryptography.exceptions import InvalidSignature

from crypto.errors import MessageRefused
from crypto.framing import (
    PUBLIC_KEY,
    PUBLIC_SUBKEY,
    SIGNATURE,
    USER_ID,
    Octets,
    next_packet,
)
from crypto.policy import REVOCATION_HASHES, STRONG_HASHES
from crypto.publickey import PublicKey, parse_public_key
from crypto.refusals import Malformed
from crypto.signature import (
    BACK_SIGNATURE,
    BINDING,
    BINDING_REVOCATION,
    CERTIFICATION_REVOCATION,
    CERTIFICATIONS,
    DIRECT,
    KEY_REVOCATION,
    MAY_ENCRYPT,
    MAY_SIGN,
    Signature,
    check,
    parse_signature,
)

_MOST_OCTETS = 256 * 1024


@dataclass(frozen=True, slots=True)
class Component:
    """One key of a certificate and what it may do."""

    key: PublicKey
    may_sign: bool
    may_encrypt: bool
    expires_at: datetime | None
    revoked: bool


@dataclass(frozen=True, slots=True)
class Assembled:
    """A certificate's components, the primary first, and its live user IDs."""

    components: tuple[Component, ...]
    user_ids: tuple[str, ...]
    weak_self_signatures: bool

    @property
    def primary(self) -> Component:
        """The component that all others are bound to."""
        return self.components[0]


@dataclass(frozen=True, slots=True)
class _Block:
    tag: int
    body: bytes
    signatures: list[Signature]


def assemble(data: bytes) -> Assembled:
    """The parts of one binary certificate that its primary key vouches for, or Malformed."""
    blocks = _blocks(data)
    if not blocks or blocks[0].tag != PUBLIC_KEY:
        raise Malformed("no public key at the start")
    key = parse_public_key(blocks[0].body)
    names = [_user_id(block, key) for block in blocks if block.tag == USER_ID]
    live = [(name, signature) for name, signature in names if signature]
    primary = _primary(blocks[0], key, [signature for _, signature in live])
    subkeys = [_subkey(block, key) for block in blocks if block.tag == PUBLIC_SUBKEY]
    return Assembled(
        components=(primary, *(subkey for subkey in subkeys if subkey)),
        user_ids=tuple(name for name, _ in live),
        weak_self_signatures=any(_is_weak(block, key) for block in blocks),
    )


def _blocks(data: bytes) -> list[_Block]:
    """Each key or name with the signatures that follow it; what cannot be read is left out."""
    octets, blocks = Octets(BytesIO(data)), list[_Block]()
    while packet := next_packet(octets):
        body = packet.body.whole(_MOST_OCTETS)
        if packet.tag == SIGNATURE:
            if blocks:
                blocks[-1].signatures.extend(_readable(body))
        else:
            blocks.append(_Block(packet.tag, body, []))
    return blocks


def _readable(body: bytes) -> list[Signature]:
    try:
        return [parse_signature(body)]
    except MessageRefused:
        return []


def _user_id(block: _Block, key: PublicKey) -> tuple[str, Signature | None]:
    subject = key.hashed + b"\xb4" + len(block.body).to_bytes(4, "big") + block.body
    certified = _newest(_genuine(block.signatures, CERTIFICATIONS, subject, signer=key))
    revoked = _revocations(block, CERTIFICATION_REVOCATION, subject, signer=key)
    name = block.body.decode("utf-8", "replace")
    if certified and any(other.created_at >= certified.created_at for other in revoked):
        return name, None
    return name, certified


def _primary(block: _Block, key: PublicKey, names: Sequence[Signature]) -> Component:
    """The primary user ID's word comes first, then a direct signature's."""
    direct = _newest(_genuine(block.signatures, {DIRECT}, key.hashed, signer=key))
    flagged = _newest([name for name in names if name.primary]) or _newest(names)
    sources = [source for source in (flagged, direct) if source]
    flags = next((source.flags for source in sources if source.flags), 0)
    spans = (source.key_expires_after for source in sources)
    return Component(
        key=key,
        may_sign=bool(flags & MAY_SIGN) and key.can_sign,
        may_encrypt=bool(flags & MAY_ENCRYPT) and key.can_encrypt,
        expires_at=_after(key.created_at, next((span for span in spans if span), None)),
        revoked=bool(_revocations(block, KEY_REVOCATION, key.hashed, signer=key)),
    )


def _subkey(block: _Block, primary: PublicKey) -> Component | None:
    try:
        key = parse_public_key(block.body)
    except Malformed:
        return None
    subject = primary.hashed + key.hashed
    binding = _newest(_genuine(block.signatures, {BINDING}, subject, signer=primary))
    if binding is None:
        return None
    return Component(
        key=key,
        may_sign=bool(binding.flags & MAY_SIGN) and _signed_back(binding, key, subject),
        may_encrypt=bool(binding.flags & MAY_ENCRYPT) and key.can_encrypt,
        expires_at=_earliest(
            _after(key.created_at, binding.key_expires_after),
            _after(binding.created_at, binding.expires_after),
        ),
        revoked=bool(_revocations(block, BINDING_REVOCATION, subject, signer=primary)),
    )


def _signed_back(binding: Signature, key: PublicKey, subject: bytes) -> bool:
    backs = [back for body in binding.embedded for back in _readable(body)]
    return bool(_genuine(backs, {BACK_SIGNATURE}, subject, signer=key))


def _revocations(
    block: _Block, kind: int, subject: bytes, *, signer: PublicKey
) -> Sequence[Signature]:
    return _checked(
        [one for one in block.signatures if one.kind == kind and one.hash_id in REVOCATION_HASHES],
        subject,
        signer=signer,
    )


def _genuine(
    signatures: Iterable[Signature], kinds: Set[int], subject: bytes, *, signer: PublicKey
) -> Sequence[Signature]:
    """Those of these kinds that the signer made over the subject, with a strong hash."""
    fitting = [one for one in signatures if one.kind in kinds and one.hash_id in STRONG_HASHES]
    return _checked(fitting, subject, signer=signer)


def _checked(
    signatures: Iterable[Signature], subject: bytes, *, signer: PublicKey
) -> Sequence[Signature]:
    held = []
    for signature in signatures:
        try:
            held.append(check(signature, subject, signer=signer))
        except (InvalidSignature, ValueError):
            continue
    return held


def _is_weak(block: _Block, key: PublicKey) -> bool:
    return any(one.names(key) and one.hash_id not in STRONG_HASHES for one in block.signatures)


def _newest(signatures: Sequence[Signature]) -> Signature | None:
    return max(signatures, key=lambda signature: signature.created_at, default=None)


def _after(start: datetime, span: timedelta | None) -> datetime | None:
    return start + span if span else None


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment), default=None)
