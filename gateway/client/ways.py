"""Several channels to one gateway: the first is used while it is open, then the next.

A channel counts as closed where nobody answers, or where somebody answers who is not the gateway,
as proxies do that let no upload pass. What the gateway itself refuses is refused: another channel
is no second opinion.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from gateway.client.answers import ClientError, Refused, Unreachable
from gateway.client.channel import Channel, Kind, Received
from gateway.client.files import Progress, Told, Upload

T = TypeVar("T")


class Ways:
    """A channel made of several; `others` are opened when they are needed, in this order.

    `changed` is called with what closed a channel, before the next is tried.
    """

    def __init__(
        self,
        first: Channel,
        others: Sequence[Callable[[], Channel]],
        *,
        changed: Callable[[ClientError], None],
    ) -> None:
        self._way = first
        self._others = list(others)
        self._changed = changed

    @property
    def poll_seconds(self) -> float:
        """How long to wait before looking again."""
        return self._way.poll_seconds

    def certificate(self) -> bytes:
        """Return the certificate to encrypt to."""
        return self._over(lambda way: way.certificate())

    def find(self, kind: Kind, sent_id: str) -> Received | None:
        """Return a submission, or a dry run, by the gateway's id."""
        return self._over(lambda way: way.find(kind, sent_id))

    def page(self, kind: Kind, *, limit: int, before: str | None) -> dict[str, Any]:
        """Return the newest of a kind, with `next_before` of the next page."""
        return self._over(lambda way: way.page(kind, limit=limit, before=before))

    def of_package(self, package_id: str) -> list[Received]:
        """Return the submissions of a package, newest first."""
        return self._over(lambda way: way.of_package(package_id))

    def send(
        self, kind: Kind, upload: Upload, *, replaces: str | None, progress: Progress
    ) -> Received:
        """Send a message; over the next channel it begins anew, as the same message."""
        told = Told(progress)

        def send(way: Channel) -> Received:
            told.until(0)
            return way.send(kind, upload, replaces=replaces, progress=told)

        return self._over(send)

    def again(self, received: Received) -> Received:
        """Look again what became of it."""
        return self._over(lambda way: way.again(received))

    def promise(self, received: Received) -> bytes:
        """Return the log's promise of a receipt."""
        return self._over(lambda way: way.promise(received))

    def receipt(self, received: Received) -> bytes:
        """Return the receipt, once there is one."""
        return self._over(lambda way: way.receipt(received))

    def report(self, received: Received) -> dict[str, Any]:
        """Return the report; raises Refused where there is none."""
        return self._over(lambda way: way.report(received))

    def full_report(self, received: Received) -> bytes:
        """Return the report with values, encrypted; raises Refused `not-found` without one."""
        return self._over(lambda way: way.full_report(received))

    def close(self) -> None:
        """Give up the connection."""
        self._way.close()

    def _over(self, step: Callable[[Channel], T]) -> T:
        while True:
            try:
                return step(self._way)
            except (Unreachable, Refused) as error:
                if not self._others or not _is_closed(error):
                    raise
                self._changed(error)
            self._way.close()
            self._way = self._others.pop(0)()


def _is_closed(error: ClientError) -> bool:
    return isinstance(error, Unreachable) or (isinstance(error, Refused) and error.unexplained)
