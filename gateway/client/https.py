"""HTTPS as a channel: one request, or for large messages tus."""

from typing import Any

from gateway.client.answers import Refused
from gateway.client.channel import Kind, Received
from gateway.client.files import Progress, Upload
from gateway.client.session import GatewayClient

_PATHS = {Kind.SUBMISSION: "/v1/submissions", Kind.DRY_RUN: "/v1/dry-runs"}


class Https:
    """Sends and asks with a token."""

    poll_seconds = 0.5

    def __init__(self, client: GatewayClient) -> None:
        self._client = client

    def certificate(self) -> bytes:
        """Return the certificate to encrypt to."""
        return self._client.data("/v1/certificate")

    def find(self, kind: Kind, sent_id: str) -> Received | None:
        """Return a submission, or a dry run, by the gateway's id."""
        try:
            return Received(kind, self._client.get(f"{_PATHS[kind]}/{sent_id}"))
        except Refused as refused:
            if refused.code != "not-found":
                raise
            return None

    def page(self, kind: Kind, *, limit: int, before: str | None) -> dict[str, Any]:
        """Return the newest of a kind, with `next_before` of the next page."""
        return self._client.get(_PATHS[kind], limit=limit, before=before)

    def of_package(self, package_id: str) -> list[Received]:
        """Return the submissions of a package, newest first."""
        found = self._client.get("/v1/submissions", package_id=package_id)["submissions"]
        return [Received(Kind.SUBMISSION, each) for each in found]

    def send(
        self, kind: Kind, upload: Upload, *, replaces: str | None, progress: Progress
    ) -> Received:
        """Send a message."""
        if kind is Kind.DRY_RUN:
            return Received(kind, self._client.try_out(upload, progress=progress))
        return Received(kind, self._client.submit(upload, replaces=replaces, progress=progress))

    def again(self, received: Received) -> Received:
        """Look again what became of it."""
        return Received(received.kind, self._client.get(_path(received)))

    def promise(self, received: Received) -> bytes:
        """Return the log's promise of a receipt."""
        return self._client.data(f"{_path(received)}/promise")

    def receipt(self, received: Received) -> bytes:
        """Return the receipt, once there is one."""
        return self._client.data(f"{_path(received)}/receipt")

    def report(self, received: Received) -> dict[str, Any]:
        """Return the report; raises Refused where there is none."""
        return self._client.get(f"{_path(received)}/report")

    def full_report(self, received: Received) -> bytes:
        """Return the report with values, encrypted; raises Refused `not-found` without one."""
        return self._client.data(f"{_path(received)}/report.pgp")

    def close(self) -> None:
        """Give up the connection."""
        self._client.close()


def _path(received: Received) -> str:
    return f"{_PATHS[received.kind]}/{received.id}"
