"""OpenPGP for the gateway (RFC 9580): bytes in, bytes out.

Reads and vets certificates, opens messages (decrypts AND verifies, or raises), seals to the vault,
rewraps and unseals, signs and encrypts for senders, makes and verifies detached signatures; all in
bounded memory. Knows no agency, no database and no network, and does not log.
"""

from crypto.armor import Form, sniff
from crypto.cells import Cells, derived
from crypto.certificate import Certificate, load_certificate
from crypto.detached import sign_detached, verify_detached
from crypto.errors import (
    CellDamaged,
    CertificateRefused,
    CryptoError,
    KeyLocked,
    KeyRefused,
    MessageRefused,
    Weakness,
    WrongContext,
)
from crypto.keyring import Keyring, generate_key, public_part
from crypto.merging import merge_certificates
from crypto.opening import Opened, open_message
from crypto.policy import Limits
from crypto.publickey import Fingerprint
from crypto.refusals import MeantForAnother, WrongRecipient
from crypto.rewrapping import Rewrapped, rewrap, write_rewrapped
from crypto.scratch import Scratch
from crypto.sealing import Sealed, seal, sign_and_encrypt, unseal
from crypto.sessionkey import KeyHolder, SessionKey, Wrapped, packet_of
from crypto.splitkey import SplitKey, generate_split_key, retire, rotate
from crypto.verdict import Verified
from crypto.vetting import encryption_key, read_certificate
from crypto.wholeness import Wholeness, wholeness
from crypto.wkd import wkd_hash

__all__ = [
    "CellDamaged",
    "Cells",
    "Certificate",
    "CertificateRefused",
    "CryptoError",
    "Fingerprint",
    "Form",
    "KeyHolder",
    "KeyLocked",
    "KeyRefused",
    "Keyring",
    "Limits",
    "MeantForAnother",
    "MessageRefused",
    "Opened",
    "Rewrapped",
    "Scratch",
    "Sealed",
    "SessionKey",
    "SplitKey",
    "Verified",
    "Weakness",
    "Wholeness",
    "Wrapped",
    "WrongContext",
    "WrongRecipient",
    "derived",
    "encryption_key",
    "generate_key",
    "generate_split_key",
    "load_certificate",
    "merge_certificates",
    "open_message",
    "packet_of",
    "public_part",
    "read_certificate",
    "retire",
    "rewrap",
    "rotate",
    "seal",
    "sign_and_encrypt",
    "sign_detached",
    "sniff",
    "unseal",
    "verify_detached",
    "wholeness",
    "wkd_hash",
    "write_rewrapped",
]
