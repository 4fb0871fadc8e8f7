"""gunicorn, set up for uploads: threads for slow senders, tight limits on everything else."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from werkzeug.middleware.proxy_fix import ProxyFix

from gateway import journal
from gateway.settings import Settings
from gateway.web.application import create_app
from gateway.web.pace import Pace, Paced
from gateway.web.worker import Worker
from gateway.wiring.web import web_services

HEADER_BYTES = 8190
HEADERS = 60


def run_web(settings: Settings, *, bind: str, workers: int, threads: int) -> None:
    """Serve until told to stop (SIGTERM, SIGINT). `bind` is host:port or unix:/path."""
    options = {
        "bind": bind,
        "workers": workers,
        "threads": threads,
        "worker_class": Worker,
        "timeout": 60,
        "graceful_timeout": 30,
        "keepalive": 5,
        "limit_request_line": 4094,
        "limit_request_fields": HEADERS,
        "limit_request_field_size": HEADER_BYTES,
        "control_socket_disable": True,  # a door that we need not
        "accesslog": None,
        "loglevel": "warning",
        "proc_name": "gateway-web",
    }
    _Server(lambda: application(settings), options).run()


def application(settings: Settings) -> Flask:
    """The application of one process; made after the fork, as connections must not be shared."""
    journal.configure()
    services = web_services(settings)
    app = create_app(services)
    if services.behind_proxy:
        # nginx is the one proxy, and it sets these itself (deploy/nginx).
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    pace = Pace(clock=monotonic)
    pace.keep()
    app.wsgi_app = Paced(app.wsgi_app, pace)  # type: ignore[method-assign]
    return app


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    def __init__(self, make: Callable[[], Flask], options: dict[str, Any]) -> None:
        self._make = make
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:  # some came with a later gunicorn than the oldest we take
                self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._make()
