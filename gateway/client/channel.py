"""What a sender needs of a way to the gateway, whichever it is.

Every step can be repeated, also over another channel: the same octets are the same submission.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from gateway.client.answers import Refused
from gateway.client.files import Progress, Upload


class Kind(StrEnum):
    """What a message was sent as."""

    SUBMISSION = "submission"
    DRY_RUN = "dry run"


@dataclass(frozen=True, slots=True)
class Received:
    """What the gateway has of a message; `shown` is in the form of the API."""

    kind: Kind
    shown: dict[str, Any]

    @property
    def id(self) -> str:
        """The gateway's id of it."""
        return str(self.shown["id"])

    @property
    def state(self) -> str:
        """Where it stands."""
        return str(self.shown["state"])


class Channel(Protocol):
    """One way to the gateway; raises ClientError."""

    @property
    def poll_seconds(self) -> float:
        """How long to wait before looking again."""

    def certificate(self) -> bytes:
        """Return the certificate to encrypt to."""

    def find(self, kind: Kind, sent_id: str) -> Received | None:
        """Return a submission, or a dry run, by the gateway's id."""

    def page(self, kind: Kind, *, limit: int, before: str | None) -> dict[str, Any]:
        """Return the newest of a kind as the API does, with `next_before` of the next page."""

    def of_package(self, package_id: str) -> list[Received]:
        """Return the submissions of a package, newest first."""

    def send(
        self, kind: Kind, upload: Upload, *, replaces: str | None, progress: Progress
    ) -> Received:
        """Send a message, going on where it broke off; return once the gateway has it."""

    def again(self, received: Received) -> Received:
        """Look again what became of it."""

    def promise(self, received: Received) -> bytes:
        """Return the log's promise of a receipt."""

    def receipt(self, received: Received) -> bytes:
        """Return the receipt, once there is one."""

    def report(self, received: Received) -> dict[str, Any]:
        """Return the report; raises Refused where there is none."""

    def full_report(self, received: Received) -> bytes:
        """Return the report with values, encrypted; raises Refused `not-found` without one."""

    def close(self) -> None:
        """Give up the connection."""


def not_here(what: str) -> Refused:
    """The refusal for what is absent, or another agency's."""
    return Refused(
        None,
        "not-found",
        f"There is no such {what}.",
        "Check the identifier; only what belongs to you can be seen, and over SFTP the newest 100.",
    )
