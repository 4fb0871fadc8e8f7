"""Puts the routes together. Everything a view needs is handed in; nothing is looked up."""

from urllib.parse import urlsplit

from flask import Flask, Response
from flask_smorest import Api

from gateway.web import health, journal, problems, standard, wkd
from gateway.web.api.dry_runs import dry_runs_blueprint
from gateway.web.api.log import log_blueprint
from gateway.web.api.reference import reference_blueprint
from gateway.web.api.releases import releases_blueprint
from gateway.web.api.submissions import submissions_blueprint
from gateway.web.api.uploads import uploads_blueprint
from gateway.web.authorisation import Guard
from gateway.web.checker import checker_blueprint
from gateway.wiring import LOCAL_PART
from gateway.wiring.web import WebServices

MAX_JSON = 64 << 10
"""Bytes of any body that is not an upload."""


class ProblemApi(Api):  # type: ignore[misc]  # flask-smorest ships no types
    """Leaves error answers to `problems`, so that there is one form of them."""

    def _register_error_handlers(self) -> None:
        """The application's own handlers stand."""


def create_app(services: WebServices) -> Flask:
    """The WSGI application over a set of services."""
    app = Flask("gateway", static_folder=None)
    # Slashes in a row are another address: to mend them, werkzeug would redirect to whatever host
    # the caller claimed to ask.
    app.url_map.merge_slashes = False
    app.config.update(
        API_TITLE="CTDS submission gateway",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/v1",
        OPENAPI_JSON_PATH="openapi.json",
        MAX_CONTENT_LENGTH=MAX_JSON,
    )
    journal.register(app)
    problems.register(app)
    app.after_request(_harden)
    _mount(app, services)
    return app


def _mount(app: Flask, services: WebServices) -> None:
    guard = Guard(services.access, services.shares)
    api = ProblemApi(app, spec_kwargs={"security": [{"token": []}]})
    api.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    api.register_blueprint(
        submissions_blueprint(
            guard,
            intake=services.intake,
            submissions=services.submissions,
            proofs=services.proofs,
        )
    )
    api.register_blueprint(uploads_blueprint(guard, uploads=services.uploads))
    api.register_blueprint(dry_runs_blueprint(guard, dry_runs=services.dry_runs))
    api.register_blueprint(
        releases_blueprint(guard, releases=services.releases, retrieval=services.retrieval)
    )
    api.register_blueprint(
        log_blueprint(guard, proofs=services.proofs, verifier=services.log_verifier)
    )
    api.register_blueprint(reference_blueprint(services.certificate_text))
    domain = urlsplit(services.public_url).hostname or "localhost"
    app.register_blueprint(wkd.wkd_blueprint(LOCAL_PART, domain, services.certificate))
    app.register_blueprint(standard.standard_blueprint())
    app.register_blueprint(checker_blueprint(services.checker_folder))
    app.register_blueprint(
        health.health_blueprint(services.database, services.objects, services.clock)
    )


def _harden(response: Response) -> Response:
    """Answers are for programs: never framed, sniffed, cached by default or leaked by referrer."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    policy = "default-src 'none'; frame-ancestors 'none'"
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
