"""Three ways of sending a return, each for one kind of agency (`desk`)."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from deploy.demo.desk import Desk, GnupgDesk, load, send_with_curl
from deploy.demo.play import Play
from deploy.demo.returns import Return
from deploy.demo.stage import Stage

SENDERS = 4


def send_by_command(play: Play, each: Return) -> None:
    """With `gateway submit`."""
    stage, desk = play.stage, play.desks[each.agency_id]
    file = desk.folder / f"{each.period_start}.zip"
    file.write_bytes(packaged(play, desk, each))
    credentials = ("--token-file", str(desk.folder / "token"), "--key", str(desk.key))
    pinned = ("--gateway-fingerprint", play.gateway.fingerprint)
    stage.gateway("submit", str(file), *credentials, *pinned)
    play.sent["with gateway submit"] += 1


def send_by_gpg(play: Play, each: Return) -> None:
    """With gpg and curl, and nothing of ours."""
    stage, desk = play.stage, play.desks[each.agency_id]
    gnupg = GnupgDesk(desk)
    try:
        gnupg.learn(stage.keys / "gateway-certificate.asc")
        package = desk.package(
            {"ACTV": each.records(play.standard)},
            (each.period_start, each.period_end),
            standard=play.standard,
            sign=gnupg.sign,
        )
        message = desk.folder / f"{each.period_start}.pgp"
        stage.show("gpg --sign --encrypt --recipient submissions@gateway.localhost package.zip")
        message.write_bytes(gnupg.encrypt(package, play.gateway.fingerprint))
    finally:
        gnupg.close()
    submission = send_with_curl(stage, desk, message)
    require_state(_settled(stage, desk, submission), "stored", None)
    play.sent["with gpg and curl"] += 1


def send_by_client(play: Play, returns: Sequence[Return]) -> None:
    """With the client in Python, several at once."""
    stage, gateway = play.stage, play.gateway

    def send(each: Return) -> dict[str, Any]:
        desk = play.desks[each.agency_id]
        return desk.send(packaged(play, desk, each), gateway, stage.url)

    with (
        stage.progress("the others with the client in Python", len(returns)) as bar,
        ThreadPoolExecutor(SENDERS) as pool,
    ):
        for done in as_completed([pool.submit(send, each) for each in returns]):
            require_state(done.result(), "stored", None)
            play.sent["with the client"] += 1
            bar.advance(bar.task_ids[0])


def packaged(play: Play, desk: Desk, each: Return, *, agency_id: str | None = None) -> bytes:
    """The package of one return."""
    return desk.package(
        {"ACTV": each.records(play.standard)},
        (each.period_start, each.period_end),
        standard=play.standard,
        agency_id=agency_id,
    )


def require_state(found: Mapping[str, Any], state: str, code: str | None) -> None:
    """Raise unless a submission came to this end."""
    reached = (found["state"], found["error_code"])
    if reached != (state, code):
        raise AssertionError(f"submission {found['id']} is {reached}, not {(state, code)}")


def _settled(stage: Stage, desk: Desk, submission: str) -> dict[str, Any]:
    token = ("--token-file", str(desk.folder / "token"), "--json")
    while True:
        found = load(stage.gateway("submissions", "show", submission, *token, show=False))
        if found["state"] != "received":
            return found
        time.sleep(0.2)
