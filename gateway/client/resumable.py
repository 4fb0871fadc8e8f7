"""A message sent so that a connection which breaks costs little: tus 1.0 from the sender's side.

After every break the gateway is asked how much has arrived, and the rest is sent.
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Protocol

import requests

from gateway.client.answers import Busy, Refused, Unreachable
from gateway.client.files import Counted, Progress, Told, Upload
from gateway.client.tries import Tries

PATH = "/v1/uploads"
_VERSION = {"Tus-Resumable": "1.0.0"}
_ASK_AGAIN = frozenset({409, 423})
"""Where another request of ours, thought dead, still writes or had written more."""


class Send(Protocol):
    """One request to the gateway; raises Busy, Refused or Unreachable."""

    def __call__(
        self, method: str, path: str, /, *, headers: dict[str, str], data: object = None
    ) -> requests.Response:
        """Return a good answer."""


def send_resumably(
    send: Send,
    upload: Upload,
    *,
    replaces: str | None,
    progress: Progress,
    sleep: Callable[[float], None],
) -> str:
    """Send a file, going on where it broke off; return the path of the submission."""
    tries = Tries(sleep)
    while (begun := _begin(send, upload, replaces, tries)) is None:
        pass
    told, offset = Told(progress), 0
    while True:
        answer = _patch(send, begun, upload, offset, told, tries)
        if answer is None:
            answer = _ask(send, begun, tries)
        if answer is None:
            continue
        arrived = int(answer.headers["Upload-Offset"])
        if arrived > offset:
            tries.progressed()
        offset = arrived
        told.until(offset)
        if "Content-Location" in answer.headers:
            return answer.headers["Content-Location"]


def _begin(send: Send, upload: Upload, replaces: str | None, tries: Tries) -> str | None:
    headers = {**_VERSION, "Upload-Length": str(upload.size)}
    if replaces is not None:
        headers["Upload-Metadata"] = f"replaces {b64encode(replaces.encode()).decode()}"
    answer = _tried(send, "POST", PATH, headers, tries)
    return None if answer is None else answer.headers["Location"]


def _patch(
    send: Send, path: str, upload: Upload, offset: int, progress: Progress, tries: Tries
) -> requests.Response | None:
    headers = {
        **_VERSION,
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": str(offset),
    }
    with upload.path.open("rb") as stream:
        stream.seek(offset)
        body = Counted(stream, upload.size - offset, progress)
        return _tried(send, "PATCH", path, headers, tries, data=body)


def _ask(send: Send, path: str, tries: Tries) -> requests.Response | None:
    return _tried(send, "HEAD", path, dict(_VERSION), tries)


def _tried(
    send: Send,
    method: str,
    path: str,
    headers: dict[str, str],
    tries: Tries,
    *,
    data: object = None,
) -> requests.Response | None:
    """A good answer, or None where it is worth another try."""
    try:
        return send(method, path, headers=headers, data=data)
    except Busy as busy:
        tries.failed(busy.refused, seconds=busy.seconds)
    except Unreachable as unreachable:
        tries.failed(unreachable)
    except Refused as refused:
        if refused.status not in _ASK_AGAIN:
            raise
        tries.failed(refused)
    return None
