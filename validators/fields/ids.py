"""Record ids, checksums and linkage tokens: CT-015 and CT-102.

A record id is a random UUID (RFC 9562 version 4): a name-based one could be computed from a case
number by whoever guesses the number. A linkage token that fails is never repeated, in case a name
stands where its token should.
"""

import base64
import binascii
import hashlib
import hmac
import re
from typing import Any

from validators.fields.fault import RecordField, broken, malformed, text_of

_UUID_4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_HEX_64 = re.compile(r"[0-9a-f]{64}")
_CLK_BYTES, _CLK_TEXT = 128, 172
_LEAST_BITS, _MOST_BITS = 103, 716  # 10 % and 70 % of 1,024 (CT-102)


def is_record_id(text: str) -> bool:
    """Whether a record can have this id at all."""
    return _UUID_4.fullmatch(text) is not None


class UuidField(RecordField[str]):
    """A random UUID in lower case; kept as text."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        kind = "random UUID (version 4, lower case, with hyphens)"
        text = text_of(value, kind)
        if not is_record_id(text):
            raise malformed(text, kind)
        return text


class Hex64Field(RecordField[str]):
    """A SHA-256 checksum, or a linkage token where the privacy class says so."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        if self.definition.privacy == "L":
            return _token(value)
        kind = "SHA-256 checksum (64 lower-case hexadecimal digits)"
        text = text_of(value, kind)
        if not _HEX_64.fullmatch(text):
            raise malformed(text, kind)
        return text


class Base64Field(RecordField[str]):
    """A cryptographic linkage key: 1,024 bits, of which neither few nor most are set."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        if not isinstance(value, str) or len(value) != _CLK_TEXT or not value.isascii():
            raise broken("CT-102")
        try:
            bits = base64.b64decode(value, validate=True)
        except binascii.Error:
            raise broken("CT-102") from None
        # One text for one value: base64 would also take padding bits that say nothing.
        if len(bits) != _CLK_BYTES or base64.b64encode(bits).decode() != value:
            raise broken("CT-102")
        if not _LEAST_BITS <= int.from_bytes(bits, "big").bit_count() <= _MOST_BITS:
            raise broken("CT-102")
        return value


def _token(value: object) -> str:
    if not isinstance(value, str) or not _HEX_64.fullmatch(value):
        raise broken("CT-102")
    # A real token has about 16 different digits; "000…0" is a tool's placeholder.
    if len(set(value)) < 5 or value in DEFAULT_TOKENS:
        raise broken("CT-102")
    return value


_LABELS = ("name_dob", "tokens_dob", "phon_yob", "nrm", "upn", "ho")
_BLANKS = ("", "|", "||", "|||", "NULL", "NONE", "N/A", "NA", "UNKNOWN", "UNK", "0")
_TEST_KEY = bytes(range(32))  # section 6.5: a tool that still has it has no key at all
_VECTORS = frozenset(
    {
        "0ddc6d5614178a077652fd9f790ca2527ccb0f99a14fcfeb822b8f03d2ff949f",
        "3d93b443ec4f0a42d7b7e1cc0b9b27143057ff4ebe6205beeb5b52a2cda94cf9",
        "e7229edb8889ba55238df1cf52d85c2bee16e60ee327b931717f084bea02f9f2",
        "5f3771a571326928cbb61f1c6116fc7fb6e99fe88915bc6f94afb952b0428b74",
        "edb441f05d91d9b76cb0553f830839bfc98646920742f3aea0744cdc99c9b797",
    }
)


def _defaults() -> frozenset[str]:
    """What a tool sends that hashes nothing: hashes of blanks, and tokens under no real key."""
    plain = {hashlib.sha256(blank.encode()).hexdigest() for blank in _BLANKS}
    keyed = {
        hmac.new(key, f"CTL1|{label}|{blank}".encode(), hashlib.sha256).hexdigest()
        for key in (b"", bytes(32), _TEST_KEY)
        for label in _LABELS
        for blank in _BLANKS
    }
    return frozenset(plain | keyed) | _VECTORS


DEFAULT_TOKENS = _defaults()
