"""One canonical event a request, from a closed list of fields; never payloads, names or query text.

It is written when the answer begins. Where the answer was not taken to its end, one more says so.

This is the operational log. It is not the audit log and nothing in it is evidence.
"""

from functools import partial
from secrets import token_hex
from time import perf_counter
from typing import Any

import structlog
from flask import Flask, Response, g, request

from gateway.web.pace import End, at_end

FIELDS = frozenset({"error_code", "detail", "agency", "submission", "dry_run", "upload", "bytes"})
"""What a view may add to the event of its request."""

log = structlog.get_logger("gateway.web")


def note(**facts: str | int | None) -> None:
    """Add facts to this request's event."""
    unknown = facts.keys() - FIELDS
    if unknown:
        raise ValueError(f"fields that the journal does not know: {sorted(unknown)}")
    g.setdefault("journal", {}).update({k: v for k, v in facts.items() if v is not None})


def _begin() -> None:
    g.request_id = token_hex(8)
    g.started = perf_counter()


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    facts: dict[str, Any] = g.get("journal", {})
    log.info(
        "request",
        request_id=g.request_id,
        method=request.method,
        # The rule, not the path: a path may carry whatever a caller typed.
        route=str(request.url_rule) if request.url_rule else None,
        status=response.status_code,
        milliseconds=round((perf_counter() - g.started) * 1000, 1),
        **facts,
    )
    at_end(request.environ, partial(_tell_of_a_cut, g.request_id))
    return response


def _tell_of_a_cut(request_id: str, end: End) -> None:
    if end is not End.WHOLE:
        log.warning("request.cut", request_id=request_id, end=end)


def register(app: Flask) -> None:
    """Give each request an id and one event."""
    app.before_request(_begin)
    app.after_request(_end)
