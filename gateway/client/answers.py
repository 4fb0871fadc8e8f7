"""What the gateway may answer instead of what was asked for, and what comes of no answer.

ClientError             code, message, mend
├── Refused             the gateway said no: a problem (RFC 9457) with its `status`, or over SFTP
├── Unreachable         no answer, after all tries
└── HostKeyRefused      who answers over SSH does not show the host key that is pinned
"""

from collections.abc import Iterator
from itertools import islice

import requests

NOT_JSON = (ValueError, RecursionError)
"""What reading JSON may raise; the second where a hostile answer has no bottom."""

MOST_FAULTS = 50
"""So many of what a refusal names are told."""

DEEPEST = 8
"""How deep in a refusal they may stand."""


class ClientError(Exception):
    """Root of what can go wrong between here and the gateway."""

    def __init__(self, code: str, message: str, mend: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.mend = mend


class Refused(ClientError):
    """The gateway says no, and says why."""

    def __init__(self, status: int | None, code: str, message: str, mend: str) -> None:
        super().__init__(code, message, mend)
        self.status = status
        """None over SFTP, which has no statuses."""

    @property
    def unexplained(self) -> bool:
        """Whether these are not the gateway's words, but those of something on the way."""
        return self.code.startswith("http-")


class Unreachable(ClientError):
    """No answer from the gateway."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            "unreachable",
            f"The gateway at {url} does not answer ({reason}).",
            "Check the address and the network, then run the same command again: nothing is "
            "counted twice.",
        )


class HostKeyRefused(ClientError):
    """Somebody else, or the gateway with a new key: nothing is sent before a person has looked.

    `shown` is its fingerprint, or None where it is one that was revoked, or a certificate's.
    """

    def __init__(self, url: str, shown: str | None) -> None:
        what = "a host key that is revoked, or certified by nobody you trust,"
        mend = "Ask the gateway's administrators, by telephone, which is the right one."
        if shown is not None:
            what = f"the host key {shown}"
            mend = f"Compare it with your letter. Only if it is there: --host-key {shown}"
        super().__init__(
            "host-key-refused",
            f"The gateway at {url} shows {what} and none that you pinned. Nothing was sent.",
            mend,
        )


class Busy(Exception):
    """The gateway asks to be asked again."""

    def __init__(self, refused: Refused, seconds: float) -> None:
        super().__init__(refused.message)
        self.refused = refused
        self.seconds = seconds


def asks_for_time(answer: requests.Response) -> bool:
    """Tell whether the same request may be answered later."""
    # nginx limits the rate without saying for how long.
    return answer.status_code == 429 or (
        answer.status_code == 503 and "Retry-After" in answer.headers
    )


def seconds(answer: requests.Response) -> float:
    """How long the gateway asks to be left alone."""
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 1.0


def refused(answer: requests.Response) -> Refused:
    """Return a refusal in the gateway's own words."""
    try:
        problem = answer.json()
        title, code, mend = problem["title"], problem["code"], problem["mend"]
    except (*NOT_JSON, KeyError, TypeError):
        return unexplained(answer)
    if not all(isinstance(each, str) for each in (title, code, mend)):
        return unexplained(answer)
    faults = islice(_faults(problem.get("errors")), MOST_FAULTS)
    return Refused(answer.status_code, code, " ".join([title, *faults]), mend)


def _faults(errors: object, name: str = "", depth: int = 0) -> Iterator[str]:
    """What is wrong with each field of a request, as deep as a gateway may tell it."""
    if isinstance(errors, dict) and depth < DEEPEST:
        for field, each in errors.items():
            yield from _faults(each, field, depth + 1)
    elif isinstance(errors, list):
        yield from (f"{name}: {sentence}" for sentence in errors if isinstance(sentence, str))


def unexplained(answer: requests.Response) -> Refused:
    """Return a refusal that has no words of the gateway's."""
    return Refused(
        answer.status_code,
        f"http-{answer.status_code}",
        f"The gateway answered with status {answer.status_code} and no explanation.",
        "Check that the address is that of the gateway itself.",
    )
