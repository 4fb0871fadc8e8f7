"""A program: gunicorn with an application that reads a body, which must keep a pace of seconds."""

import sys
from collections.abc import Iterator
from time import monotonic
from typing import Any

from flask import Flask, Response, request

from gateway.web.checker.routes import KEPT
from gateway.web.pace import Pace, Paced
from gateway.web.server import _Server
from gateway.web.worker import Worker

ABSORBED = 200 << 10
"""Octets of an answer that socket and nginx take at once, however slow its reader is."""

app = Flask("paced", static_folder=None)


@app.post("/")
def count() -> Response:
    """How many octets came before the end."""
    size = 0
    try:
        while block := request.stream.read(1 << 20):
            size += len(block)
    except OSError:
        pass
    return Response(f"{size}\n")


@app.get("/breaks")
def breaks() -> Response:
    """Something that fails midway, as where the object store goes away."""

    def blocks() -> Iterator[bytes]:
        yield b"begun"
        raise ZeroDivisionError

    return Response(blocks())


@app.get("/connections")
def connections() -> Response:
    """How many gunicorn counts."""
    return Response(str(app.extensions["gunicorn"].nr_conns))


@app.get("/<path:_>")
def give(_: str) -> Response:
    """So many octets, in blocks as an object store gives them."""
    size = int(request.args["octets"])
    blocks = (bytes(min(1 << 20, size - at)) for at in range(0, size, 1 << 20))
    kept = KEPT if request.path.startswith("/check/") else "no-store"
    return Response(blocks, headers={"Content-Length": str(size), "Cache-Control": kept})


def make() -> Flask:
    """The application of one process."""
    pace = Pace(seconds=float(sys.argv[2]), clock=monotonic)
    pace.keep()
    app.wsgi_app = Paced(app.wsgi_app, pace)  # type: ignore[method-assign]
    return app


def remember(worker: Any) -> None:
    """Keep gunicorn's worker, for its count."""
    app.extensions["gunicorn"] = worker


if __name__ == "__main__":
    options = {"threads": 4, "worker_class": Worker, "post_worker_init": remember}
    _Server(make, {"bind": sys.argv[1], **options}).run()
