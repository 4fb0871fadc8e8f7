"""/v1/uploads: resumable uploads as tus 1.0 has them, for connections that do not last.

Extensions: creation, creation-with-upload, creation-defer-length, checksum, expiration, termination
(https://tus.io/protocols/resumable-upload). Not followed: X-HTTP-Method-Override, as no request may
be another than it looks. Of Upload-Metadata only `replaces` is read; a file's name is kept nowhere.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.http import http_date

from gateway.errors import RequestRefused, VersionRefused
from gateway.flow.arrival import Checksum
from gateway.flow.uploads import Piece, Uploads
from gateway.records import Scope
from gateway.store.uploads import Upload
from gateway.web.authorisation import Guard, principal
from gateway.web.journal import note
from gateway.web.strict import Routes
from gateway.web.upload import RequestBody, without_limit

VERSION = "1.0.0"
EXTENSIONS = (
    *("creation", "creation-with-upload", "creation-defer-length"),
    *("checksum", "expiration", "termination"),
)
ALGORITHMS = {"sha1": "sha1", "sha256": "sha256", "sha512": "sha512"}
"""tus asks for SHA-1 at the least; it tells a damaged piece, and proves nothing."""

MEDIA_TYPE = "application/offset+octet-stream"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")
_METADATA = re.compile(r"([^\s,]+)(?: ([A-Za-z0-9+/]*={0,2}))?")
_HEADERS = [
    {"in": "header", "name": name, "schema": {"type": "string"}, "description": description}
    for name, description in (
        ("Tus-Resumable", "1.0.0"),
        ("Upload-Checksum", "For example `sha256 <base64>`, of the body of this request."),
    )
]


def uploads_blueprint(guard: Guard, *, uploads: Uploads) -> Routes:
    """The routes of senders whose connection may break."""
    routes = Routes("uploads", __name__, url_prefix="/v1/uploads", description="Resume (tus 1.0).")

    @routes.before_request
    def require_version() -> None:
        """Refuse what speaks another version, before anything else is looked at."""
        if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != VERSION:
            raise VersionRefused(
                "tus-version",
                f"This is tus {VERSION}.",
                f"Send the header Tus-Resumable: {VERSION}.",
            )

    @routes.after_request
    def name_version(response: Response) -> Response:
        response.headers["Tus-Resumable"] = VERSION
        if response.status_code == 412 or request.method == "OPTIONS":
            response.headers["Tus-Version"] = VERSION
        return response

    @routes.route("", methods=["OPTIONS"])
    @routes.route("/<uuid:upload_id>", methods=["OPTIONS"])
    @routes.doc(security=[])
    @routes.response(204)
    def options(upload_id: UUID | None = None) -> Response:
        """What this gateway can do."""
        del upload_id  # for all alike
        answer = Response(status=204)
        answer.headers["Tus-Extension"] = ",".join(EXTENSIONS)
        answer.headers["Tus-Max-Size"] = str(uploads.max_bytes)
        answer.headers["Tus-Checksum-Algorithm"] = ",".join(ALGORITHMS)
        return answer

    @routes.route("", methods=["POST"])
    @routes.doc(parameters=_HEADERS)
    @routes.response(201, description="Begun; Location says where to send it.")
    @guard.needs(Scope.SUBMIT)
    def create() -> Response:
        """Begin an upload, and send its first octets if you like."""
        length = _announced_length()
        upload = uploads.begin(length, replaces=_replaces(), by=principal())
        note(upload=str(upload.id))
        if request.mimetype == MEDIA_TYPE:
            upload = uploads.add(upload.id, _piece(0, length=None), by=principal())
        answer = _told(upload, 201)
        answer.headers["Location"] = url_for("uploads.show", upload_id=upload.id)
        return answer

    @routes.route("/<uuid:upload_id>", methods=["HEAD"])
    @routes.response(200, description="Upload-Offset says how much has arrived.")
    @guard.needs(Scope.SUBMIT)
    def show(upload_id: UUID) -> Response:
        """How much has arrived."""
        answer = _told(uploads.find(upload_id, by=principal()), 200)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @routes.route("/<uuid:upload_id>", methods=["PATCH"])
    @routes.doc(parameters=_HEADERS)
    @routes.response(
        204, description="Arrived. With the last piece Content-Location names the submission."
    )
    @guard.needs(Scope.SUBMIT)
    def add(upload_id: UUID) -> Response:
        """Send the next piece, from Upload-Offset on."""
        if request.mimetype != MEDIA_TYPE:
            raise UnsupportedMediaType
        offset = _number("Upload-Offset")
        if offset is None:
            raise _malformed("Upload-Offset", "the number of bytes before this piece")
        note(upload=str(upload_id))
        piece = _piece(offset, length=_number("Upload-Length"))
        return _told(uploads.add(upload_id, piece, by=principal()), 204)

    @routes.route("/<uuid:upload_id>", methods=["DELETE"])
    @routes.response(204, description="Forgotten.")
    @guard.needs(Scope.SUBMIT)
    def end(upload_id: UUID) -> Response:
        """Forget an upload that is not wanted any more."""
        uploads.end(upload_id, by=principal())
        return Response(status=204)

    return routes


def _told(upload: Upload, status: int) -> Response:
    answer = Response(status=status)
    answer.headers["Upload-Offset"] = str(upload.received)
    answer.headers["Upload-Expires"] = http_date(upload.expires_at)
    if upload.length is None:
        answer.headers["Upload-Defer-Length"] = "1"
    else:
        answer.headers["Upload-Length"] = str(upload.length)
    if upload.submission_id is not None:
        note(submission=str(upload.submission_id), bytes=upload.length)
        answer.headers["Content-Location"] = url_for(
            "submissions.show", submission_id=upload.submission_id
        )
    return answer


def _announced_length() -> int | None:
    length, deferred = _number("Upload-Length"), request.headers.get("Upload-Defer-Length")
    if (length is None) != (deferred == "1") or deferred not in (None, "1"):
        raise _malformed("Upload-Length", "the size of the message, or Upload-Defer-Length: 1")
    return length


def _piece(offset: int, *, length: int | None) -> Piece:
    without_limit(request)
    return Piece(
        offset=offset,
        body=RequestBody(request),
        size=request.content_length,
        length=length,
        checksum=_checksum(),
    )


def _checksum() -> Checksum | None:
    value = request.headers.get("Upload-Checksum")
    if value is None:
        return None
    algorithm, _, encoded = value.partition(" ")
    try:
        digest = b64decode(encoded, validate=True)
    except Base64Error:
        digest = b""
    if algorithm not in ALGORITHMS or not digest:
        raise _malformed("Upload-Checksum", "for example sha256 and the digest in Base64")
    return Checksum(ALGORITHMS[algorithm], digest)


def _number(name: str) -> int | None:
    value = request.headers.get(name)
    if value is None:
        return None
    if not _NUMBER.fullmatch(value):
        raise _malformed(name, "a whole number in decimal digits")
    return int(value)


def _replaces() -> UUID | None:
    """The accepted submission that this one replaces, from Upload-Metadata."""
    try:
        return _metadata_id(_metadata().get("replaces"))
    except ValueError:
        raise _malformed("Upload-Metadata", "keys with values in Base64") from None


def _metadata() -> dict[str, Any]:
    value = request.headers.get("Upload-Metadata", "").strip()
    members = [_METADATA.fullmatch(part.strip()) for part in value.split(",")] if value else []
    if None in members:
        raise ValueError
    return {match[1]: match[2] for match in members if match is not None}


def _metadata_id(encoded: str | None) -> UUID | None:
    return None if encoded is None else UUID(b64decode(encoded, validate=True).decode("ascii"))


def _malformed(header: str, expected: str) -> RequestRefused:
    return RequestRefused(
        "tus-header-malformed",
        f"The {header} header is missing or cannot be read.",
        f"Send it as tus 1.0 says: {expected}.",
    )
