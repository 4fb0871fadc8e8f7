"""What becomes of what was sent: waited for, told, and turned into an exit status."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

from gateway.cli.failures import REFUSED, Failure, Stop
from gateway.cli.files import write_new
from gateway.cli.output import print_json, say
from gateway.cli.validate import STATUS
from gateway.client import Channel, Kind, Received, Refused, not_here
from validators.report import Report, render_text

SETTLED = {"stored", "checked", "released", "rejected", "failed", "withdrawn", "destroyed"}

_WITHOUT_A_REPORT = {
    Kind.SUBMISSION: "The gateway's operators have been told. Send nothing again before they "
    "answer.",
    Kind.DRY_RUN: "Run the same command again; if it fails again, tell the gateway's operators.",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller wants to have of it."""

    wait: bool
    receipt: Path | None
    as_json: bool


def end(channel: Channel, received: Received, wanted: Wanted) -> None:
    """Follow it to its report, or say what its id is; raises Stop with the verdict's status."""
    if wanted.wait:
        _follow(channel, received, wanted)
    elif wanted.as_json:
        print_json(received.shown)
    else:
        print(received.id)


def found(channel: Channel, kind: Kind, sent_id: UUID) -> Received:
    """Return what was sent; raises Refused where there is no such thing."""
    received = channel.find(kind, str(sent_id))
    if received is None:
        raise not_here(kind)
    return received


def print_report(report: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the gateway's answer."""
    print_json(report) if as_json else print(_as_text(report), end="")


def _follow(channel: Channel, received: Received, wanted: Wanted) -> NoReturn:
    while received.state not in SETTLED:
        time.sleep(channel.poll_seconds)
        received = channel.again(received)
    if wanted.receipt is not None:
        write_new(wanted.receipt, channel.receipt(received))
        say(f"The receipt is in {wanted.receipt}.")
    report = _report(channel, received)
    if wanted.as_json:
        print_json({**received.shown, "report": report})
    else:
        print(_as_text(report), end="")
    if received.kind is Kind.DRY_RUN:
        then = "" if report["verdict"] == "rejected" else " Send it without --dry-run."
        say(f"This was a dry run: nothing was stored or counted.{then}")
    raise Stop(STATUS[report["verdict"]])


def _report(channel: Channel, received: Received) -> dict[str, Any]:
    try:
        return channel.report(received)
    except Refused as refused:
        if refused.code != "not-found":
            raise
        raise Failure(
            f"There is no report, as the {received.kind} is {received.state}.",
            _WITHOUT_A_REPORT[received.kind],
            status=REFUSED,
        ) from refused


def _as_text(report: Mapping[str, Any]) -> str:
    """The answer as text, whether the gateway judged the rows or refused the whole."""
    if "refusal" in report:
        refusal = report["refusal"]
        return f"Rejected: {refusal['message']} [{refusal['code']}]\n{refusal['mend']}\n"
    return render_text(Report.from_dict(report))
