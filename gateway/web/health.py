"""/healthz says that the process answers; /readyz that database and object store do as well.

And that database and process agree on the time: without that hardly anything is answered.
"""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response

from gateway.store.database import Database
from gateway.store.objects import ObjectStore


def health_blueprint(
    database: Database, objects: ObjectStore, clock: Callable[[], datetime]
) -> Blueprint:
    """Two routes for the supervisor and the load balancer."""
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", content_type="text/plain")

    @routes.get("/readyz")
    def readyz() -> Response:
        database.ping()
        objects.ping()
        clock()
        return Response("ready\n", content_type="text/plain")

    return routes
