"""/standard/…: the published standard, open to everyone; what reports link to.

Serves the very bytes that `gateway standard export` writes, and nothing that is not among them: a
path is looked up in a table and never becomes the name of a file. A page has its own address and a
shorter one without ".html". The pages have no scripts, and the policy allows none.
"""

import hashlib
from functools import cache
from pathlib import PurePosixPath

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from gateway.errors import NotFound
from validators.publishing import published

ROOT = "/standard/"
MAX_AGE = 3600
"""Seconds for which a copy is used unasked. After that, the ETag spares the bytes."""

POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; " + (
    "frame-ancestors 'none'"
)
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8; header=present",
    ".md": "text/markdown; charset=utf-8",
    ".json": "application/json",
    ".schema.json": "application/schema+json",
}
CSVW = "application/csvm+json"


def standard_blueprint() -> Blueprint:
    """Serve every version."""
    routes = Blueprint("standard", __name__)

    @routes.get("/")
    def front() -> AnyResponse:
        """Whoever types the gateway's bare address is no program, and finds something to read."""
        return redirect(ROOT, code=302)

    @routes.get(ROOT.rstrip("/"))
    def without_slash() -> AnyResponse:
        # Said here, as werkzeug would say it with the host that the caller claimed to ask.
        return redirect(ROOT, code=308)

    @routes.get(ROOT, defaults={"path": ""})
    @routes.get(f"{ROOT}<path:path>")
    def page(path: str) -> AnyResponse:
        if f"{path}/index.html" in published():
            # Relative links lead elsewhere without the slash.
            return redirect(f"{ROOT}{path}/", code=308)
        found = _found(path)
        if found is None:
            raise NotFound("page of the standard")
        return _answer(found)

    return routes


def _found(path: str) -> str | None:
    """The published path that an address stands for."""
    candidates = [f"{path}index.html"] if path.endswith("/") or not path else [path, f"{path}.html"]
    return next((each for each in candidates if each in published()), None)


def _answer(path: str) -> AnyResponse:
    response = Response(published()[path], content_type=media_type(path))
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE}"
    response.headers["Content-Security-Policy"] = POLICY
    response.set_etag(_etag(path))
    return response.make_conditional(request)


@cache
def _etag(path: str) -> str:
    return hashlib.sha256(published()[path]).hexdigest()[:32]


def media_type(path: str) -> str:
    """The media type of a published file."""
    name = PurePosixPath(path)
    if name.name == "csv-metadata.json":
        return CSVW
    return MEDIA_TYPES.get("".join(name.suffixes[-2:])) or MEDIA_TYPES[name.suffix]
