"""A program: gunicorn with the page that checks, as the gateway serves it, and a page to serve."""

import hashlib
import sys
from pathlib import Path

from flask import Flask

from gateway.web import journal, problems
from gateway.web.application import _harden
from gateway.web.checker import checker_blueprint
from gateway.web.checker.packing import ARCHIVE, pack_validators
from gateway.web.checker.site import DIGESTS, INDEX
from gateway.web.server import _Server

WORKER = b"postMessage(0)\n" * 1000


def write_page(folder: Path) -> None:
    """What is a page to the gateway, and small."""
    files = {INDEX: b"<!doctype html>", "1/worker.js": WORKER, f"1/{ARCHIVE}": pack_validators()}
    lines = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items())
    files[DIGESTS] = "".join(lines).encode()
    (folder / "1").mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def make() -> Flask:
    """The application of one process."""
    app = Flask("page", static_folder=None)
    journal.register(app)
    problems.register(app)
    app.after_request(_harden)
    app.register_blueprint(checker_blueprint(Path(sys.argv[2])))
    return app


if __name__ == "__main__":
    _Server(make, {"bind": f"unix:{sys.argv[1]}", "worker_class": "gthread", "threads": 4}).run()
