"""Every error as an RFC 9457 problem, with a stable code, what happened and how to mend it.

The one table from error class to HTTP status. A 4xx is the caller's to mend, a 5xx is ours.
"""

from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, json
from werkzeug.exceptions import HTTPException

from gateway import errors
from gateway.web.journal import note

CHECKSUM_MISMATCH = 460
"""The status that tus 1.0 made for it; HTTP has none."""

STATUS: dict[type[errors.GatewayError], int] = {
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Gone: HTTPStatus.GONE,
    errors.VersionRefused: HTTPStatus.PRECONDITION_FAILED,
    errors.Superseded: HTTPStatus.LOCKED,
    errors.ChecksumMismatch: CHECKSUM_MISMATCH,
    errors.TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.LengthRequired: HTTPStatus.LENGTH_REQUIRED,
    errors.NotReady: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ServiceFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.RequestRefused: HTTPStatus.BAD_REQUEST,
    errors.GatewayError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

CODES = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "too-large",
    415: "media-type",
    422: "invalid-request",
}
"""Codes for what the framework itself refuses."""


def problem(status: int, code: str, message: str, mend: str, **extra: Any) -> Response:
    """An `application/problem+json` answer."""
    note(error_code=code)
    body = {
        "type": f"urn:ctds-gateway:problem:{code}",
        "title": message,
        "status": status,
        "code": code,
        "mend": mend,
        "request_id": g.get("request_id"),
        **extra,
    }
    return Response(json.dumps(body), status=status, content_type="application/problem+json")


def status_of(error: errors.GatewayError) -> int:
    """The HTTP status of the nearest class in the table."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def answer_gateway_error(error: errors.GatewayError) -> Response:
    """What went wrong, in words for the sender; the detail goes to the journal only."""
    note(detail=error.detail or None)
    response = problem(status_of(error), error.code, error.message, error.mend)
    if isinstance(error, errors.Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.NotReady | errors.ServiceFailed | errors.TooMany):
        soon = isinstance(error, errors.NotReady | errors.TooFast)
        response.headers["Retry-After"] = "1" if soon else "30"
    return response


def answer_http_exception(error: HTTPException) -> Response:
    """What the framework refuses, in the same form."""
    status = error.code or 500
    messages = (getattr(error, "data", None) or {}).get("messages")
    extra = {"errors": messages} if messages else {}
    return problem(
        status,
        CODES.get(status, f"http-{status}"),
        error.name + ".",
        "See the interface description at /v1/openapi.json.",
        **extra,
    )


def answer_unforeseen(error: Exception) -> Response:
    """A fault of ours. The type goes to the journal; message and trace may hold data and do not."""
    note(detail=type(error).__name__)
    return problem(
        500,
        "internal",
        "The gateway made a mistake.",
        "Try again; if it happens again, tell the gateway's operators the request_id.",
    )


def register(app: Flask) -> None:
    """Answer every error of the application with a problem."""
    app.register_error_handler(errors.GatewayError, answer_gateway_error)
    app.register_error_handler(HTTPException, answer_http_exception)
    app.register_error_handler(Exception, answer_unforeseen)
