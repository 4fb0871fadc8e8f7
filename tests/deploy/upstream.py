"""A server behind nginx that says what reached it: gunicorn, as in production, on a socket."""

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from gunicorn.app.base import BaseApplication


def echo(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the headers and the length of the body."""
    size = 0
    while block := environ["wsgi.input"].read(1 << 16):
        size += len(block)
    headers = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
    seen = {"path": environ["PATH_INFO"], "headers": headers, "body": size}
    start("200 OK", [("Content-Type", "application/json"), ("X-Request-Id", "0123456789abcdef")])
    return [json.dumps(seen).encode()]


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    def load_config(self) -> None:
        options = {"bind": f"unix:{sys.argv[1]}", "worker_class": "gthread", "threads": 8}
        for name, value in {**options, "loglevel": "error", "keepalive": 5}.items():
            self.cfg.set(name, value)

    def load(self) -> Callable[..., Any]:
        return echo


if __name__ == "__main__":
    _Server().run()
