"""Reading an upload so that a cut connection can never look like a complete one.

A client that dies in mid-body raises nothing in a WSGI server: the stream just ends. So either the
length is announced and compared, or a digest is (RFC 9530), or the upload is refused.
"""

import re
import sys
from base64 import b64decode
from uuid import UUID

from flask import Request
from werkzeug.exceptions import ClientDisconnected, UnsupportedMediaType

from gateway.errors import LengthRequired, RequestRefused
from gateway.flow.body import ALGORITHMS
from gateway.flow.quarantine import Delivery
from gateway.records import Channel

MEDIA_TYPES = ("application/pgp-encrypted", "application/octet-stream")
# One member of an RFC 8941 dictionary whose value is a byte sequence.
MEMBER = re.compile(r"([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):")
WITHOUT_LIMIT = sys.maxsize
"""The intake has a limit of its own, and counts."""

UPLOAD = {
    "requestBody": {
        "required": True,
        "description": "An OpenPGP message: the package, signed by the agency and encrypted to "
        "the gateway.",
        "content": {
            "application/pgp-encrypted": {"schema": {"type": "string", "format": "binary"}}
        },
    },
    "parameters": [
        {
            "in": "header",
            "name": name,
            "schema": {"type": "string"},
            "description": description,
        }
        for name, description in (
            ("Content-Digest", "RFC 9530, for example `sha-256=:<base64>:`."),
            ("Idempotency-Key", "Makes a repeated request safe; one key for one package."),
        )
    ],
}
"""What an upload is, for the interface description."""

IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def delivery(request: Request, *, replaces: UUID | None = None) -> Delivery:
    """The delivery that a request announces; nothing of the body has been read yet."""
    if request.mimetype not in MEDIA_TYPES:
        raise UnsupportedMediaType
    digests = announced_digests(request)
    if request.content_length is None and not digests:
        raise LengthRequired(
            "length-required",
            "The upload states neither its length nor a digest.",
            "Send Content-Length, or Content-Digest with a chunked body.",
        )
    without_limit(request)
    return Delivery(
        body=RequestBody(request),
        length=request.content_length,
        channel=Channel.HTTPS,
        digests=digests,
        idempotency_key=_idempotency_key(request),
        replaces=replaces,
    )


def announced_digests(request: Request) -> dict[str, bytes]:
    """Digests of Content-Digest and Repr-Digest; a header that cannot be used is refused."""
    digests: dict[str, bytes] = {}
    for header in ("Content-Digest", "Repr-Digest"):
        value = request.headers.get(header)
        if value is not None:
            digests |= _parse(header, value)
    return digests


def _parse(header: str, value: str) -> dict[str, bytes]:
    members = [MEMBER.fullmatch(part.strip()) for part in value.split(",")]
    known = {
        match[1]: b64decode(match[2])
        for match in members
        if match is not None and match[1] in ALGORITHMS
    }
    if None in members or not known:
        raise RequestRefused(
            "digest-malformed",
            f"The {header} header cannot be read.",
            "Send it as RFC 9530 says, for example sha-256=:<base64>:.",
        )
    return known


def _idempotency_key(request: Request) -> str | None:
    value = request.headers.get("Idempotency-Key")
    if value is not None and not IDEMPOTENCY_KEY.fullmatch(value):
        raise RequestRefused(
            "idempotency-key-malformed",
            "The Idempotency-Key is empty, too long or has characters that are not allowed.",
            "Use up to 255 printable ASCII characters without spaces, for example a UUID.",
        )
    return value


def without_limit(request: Request) -> None:
    """Lift the application's own limit, which is for small bodies."""
    # None would mean that limit again.
    request.max_content_length = WITHOUT_LIMIT


class RequestBody:
    """The request's body; a lost connection is an early end, which whoever reads notices."""

    def __init__(self, request: Request) -> None:
        self._stream = request.stream

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end, or where the connection ended."""
        try:
            return self._stream.read(size)
        except (ClientDisconnected, OSError):
            return b""
