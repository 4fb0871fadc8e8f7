"""/check/: serves the built page from a table; an address never becomes the name of a file.

Two policies. The page may load its own scripts and style and fetch its own files. The worker, which
alone opens what a person chose, may open no connection at all: a script that found its way in there
could read and not tell.
"""

from pathlib import Path, PurePosixPath

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from gateway.errors import NotFound
from gateway.web.checker.site import DIGESTS, INDEX, Site, SiteRefused
from gateway.web.problems import problem

ROOT = "/check/"
WORKER = "worker.js"
KEPT = "public, max-age=31536000, immutable"
"""For files in the folder of a version: their address changes with their content."""

ASKED = "no-cache"
"""For the page itself: asked for each time, and spared by its ETag."""

PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
WORKER_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".whl": "application/zip",
    ".zip": "application/zip",
    "": "text/plain; charset=utf-8",
}


def checker_blueprint(folder: Path | None) -> Blueprint:
    """Serve the page in a folder; without one, and with one that is not fit, say so."""
    routes = Blueprint("checker", __name__)
    site, fault = _site(folder)

    @routes.get(ROOT.rstrip("/"))
    def without_slash() -> AnyResponse:
        return redirect(ROOT, code=308)

    @routes.get(ROOT, defaults={"path": ""})
    @routes.get(f"{ROOT}<path:path>")
    def page(path: str) -> AnyResponse:
        if site is None:
            return _outdated(fault) if fault else _not_offered()
        name = path or INDEX
        if name not in site.files:
            raise NotFound("file of the page that checks")
        return _answer(site, name)

    return routes


def _site(folder: Path | None) -> tuple[Site | None, str]:
    if folder is None:
        return None, ""
    try:
        return Site.read(folder), ""
    except SiteRefused as refused:
        # Submissions go on without it; whoever asks for the page is told.
        return None, str(refused)


def _answer(site: Site, path: str) -> AnyResponse:
    response = Response(site.files[path], content_type=_media_type(path))
    response.headers.update(HEADERS)
    name = PurePosixPath(path).name
    response.headers["Content-Security-Policy"] = WORKER_POLICY if name == WORKER else PAGE_POLICY
    response.headers["Cache-Control"] = ASKED if path in (INDEX, DIGESTS) else KEPT
    response.set_etag(site.digests[path])
    return response.make_conditional(request)


def _media_type(path: str) -> str:
    return MEDIA_TYPES[PurePosixPath(path).suffix]


def _not_offered() -> Response:
    return problem(
        404,
        "checker-not-offered",
        "This gateway does not offer the page that checks returns in a browser.",
        "Check offline with `gateway validate`. Whoever runs the gateway: build the page with "
        "`make checker` and name its folder in CHECKER_FOLDER.",
    )


def _outdated(fault: str) -> Response:
    return problem(
        503,
        "checker-outdated",
        f"The page that checks returns in a browser is not fit to be offered: {fault}.",
        "Check offline with `gateway validate`. Whoever runs the gateway: build the page anew with "
        "`make checker`, from the source of this gateway, and restart the web process.",
    )
