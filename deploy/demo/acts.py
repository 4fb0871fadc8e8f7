"""The demonstration, act by act. Each act leaves what the next one needs in `Play`."""

from csv import DictWriter
from datetime import timedelta
from pathlib import Path

from deploy.demo.desk import Desk, GnupgDesk, load
from deploy.demo.invented import children
from deploy.demo.play import Play
from deploy.demo.returns import Sums, published_returns, sums
from deploy.demo.stage import Stage
from deploy.demo.ways import (
    packaged,
    require_state,
    send_by_client,
    send_by_command,
    send_by_gpg,
)
from gateway.cli.administration import administrator
from gateway.cli.profile import EXAMPLE, EXAMPLE_AGENCY
from gateway.records import Role

AGENCIES, QUARTERS, CHILDREN, REFUSED_CHILDREN = 61, 327, 5_774, 5_289
"""What the source holds; data/README.md says where it comes from."""

BY_COMMAND, BY_GPG = 3, 3
"""How many returns go with `gateway submit`, and with gpg and curl; the client sends the rest."""

FIRST_DAY, LAST_DAY = "2022-04-01", "2023-09-30"
POLICE = "POL-E23000020"


def enrol(play: Play) -> None:
    """Each agency makes a key; the administrator enrols it and gives it a token."""
    stage = play.stage
    stage.step("1  Enrolment: each agency with an OpenPGP key of its own")
    senders = sorted({each.agency_id for each in play.registered()})
    first, *rest = [*senders, *({POLICE} - set(senders))]
    play.desks[first] = desk = Desk.open(first, stage.folder / "agencies" / first)
    stage.administer("agency", "enrol", first, str(desk.certificate))
    role = ("--role", "submitter", "--agency", first)
    desk.keep_token(stage.administer("token", "issue", "data-officer", *role))
    with stage.progress("the others in the same way", len(rest)) as bar:
        for agency_id in rest:
            play.desks[agency_id] = _enrolled(stage, agency_id)
            bar.advance(bar.task_ids[0])
    stage.require(f"{len(senders)} agencies are enrolled", holds=len(senders) == AGENCIES)
    play.results["agencies enrolled"] = str(len(senders))


def send_returns(play: Play) -> None:
    """One signed and encrypted package for each agency and quarter, in three ways."""
    stage, returns = play.stage, play.registered()
    stage.step("2  Real counts: one package for each agency and quarter, signed and encrypted")
    by_gpg = BY_GPG if GnupgDesk.possible() else 0
    if not by_gpg:
        stage.say("  gpg or curl is not installed, so those returns go with the client, too.")
    # Agencies of different kinds, not six quarters of the first.
    shown = returns[:: len(returns) // (BY_COMMAND + by_gpg)][: BY_COMMAND + by_gpg]
    for each in shown[:BY_COMMAND]:
        send_by_command(play, each)
    for each in shown[BY_COMMAND:]:
        send_by_gpg(play, each)
    send_by_client(play, [each for each in returns if each not in shown])
    ways = ", ".join(f"{count} {way}" for way, count in play.sent.items())
    total = sum(play.sent.values())
    stage.require(f"{total} packages accepted: {ways}", holds=total == QUARTERS)
    play.results["returns accepted"] = f"{total} ({ways})"


def send_unregistered(play: Play) -> None:
    """Counts under ids that the register does not know are refused, whoever sends them."""
    stage = play.stage
    stage.step("3  Counts of nobody in particular: LA-ALL and nan are not in the register")
    known = play.standard.agencies
    strangers = [each for each in published_returns() if each.agency_id not in known]
    desk, gateway = play.desks[POLICE], play.gateway
    with stage.progress(f"sent all the same, by {POLICE}", len(strangers)) as bar:
        for each in strangers:
            package = packaged(play, desk, each, agency_id=each.agency_id)
            require_state(desk.send(package, gateway, stage.url), "rejected", "CT-003")
            bar.advance(bar.task_ids[0])
    total = sum(int(row["count"]) for each in strangers for row in each.rows)
    fact = f"{len(strangers)} packages with {total:,} children refused, each with CT-003"
    stage.require(fact, holds=total == REFUSED_CHILDREN)
    play.results["refused with CT-003"] = f"{len(strangers)} packages, {total:,} children"


def send_cases(play: Play) -> None:
    """Invented children, some rows wrong: the good go on, the bad and theirs come back."""
    stage, desk = play.stage, play.desks[POLICE]
    stage.step("4  Cases of invented children, with good and bad rows")
    folder = stage.folder / "cases"
    token = ("--token-file", str(desk.folder / "token"))
    package = _packaged_cases(play, desk, folder)
    receipt, message = folder / "receipt.tlog-proof", folder / "package.pgp"
    key = ("--key", str(desk.key), "--gateway-fingerprint", play.gateway.fingerprint)
    keep = ("--receipt", str(receipt), "--message", str(message))
    stage.quote(stage.gateway("submit", str(package), *token, *key, *keep, expect=3))
    shown = load(stage.gateway("submissions", "list", *token, "--limit", "1", "--json", show=False))
    found = shown["submissions"][0]
    fact = f"{found['records']} of 18 rows accepted and sealed; the report names the other 5"
    stage.require(fact, holds=found["records"] == 13)
    _verify_receipt(play, receipt, message)
    _send_badly(play, desk, message, found["id"])


def release(play: Play) -> None:
    """One person asks, another approves; staff fetch, verify and unseal."""
    stage = play.stage
    stage.step("5  Release: one person asks, another approves, staff fetch and unseal")
    folder = stage.folder / "staff"
    tokens = {name: _staff_token(play, name, "analyst") for name in ("ada", "ben")}
    purpose = ("--purpose", "Children referred by quarter, for the annual report to Parliament")
    span = ("--from", FIRST_DAY, "--to", LAST_DAY)
    asked = ("request", "nrm-2022q2-2023q3", *purpose, *span, *tokens["ada"], "--json")
    release_id = str(load(stage.gateway("release", *asked))["id"])
    stage.say("  The person who asked tries to approve it:")
    stage.gateway("release", "approve", release_id, *tokens["ada"], expect=4)
    stage.say("  Refused. Another person:")
    stage.gateway("release", "approve", release_id, *tokens["ben"])
    trusted = (
        "--gateway-certificate", str(stage.keys / "gateway-certificate.asc"),
        "--log-key", str(stage.keys / "log.vkey"),
    )  # fmt: skip
    fetched, clear = folder / "fetched", folder / "clear"
    stage.gateway("release", "fetch", release_id, "--out", str(fetched), *trusted, *tokens["ada"])
    vault = ("--key", str(folder / "vault-key.asc"), *trusted[:2])
    stage.gateway("unseal", str(fetched), *vault, "--out", str(clear))
    objects = len(list(fetched.glob("*.pgp")))
    stage.require(f"{objects} sealed objects fetched, verified and opened with the vault key",
                  holds=objects == QUARTERS)  # fmt: skip
    play.results["released and unsealed"] = f"{objects} objects, after 2 people agreed"


def compare(play: Play) -> Sums:
    """What came out must be what went in, to the child."""
    stage = play.stage
    stage.step("6  The counts that came out against the published ones")
    clear = stage.folder / "staff" / "clear"
    files = clear.glob("*/ACTV.jsonl")
    came_out = sums(load(line) for file in files for line in file.read_text("utf-8").splitlines())
    went_in = sums(row for each in play.registered() for row in each.rows)
    total = sum(came_out.values())
    fact = f"{len(came_out)} sums by quarter, exploitation type and sex equal the source, exactly"
    stage.require(fact, holds=came_out == went_in and len(went_in) > 0)
    stage.require(f"{total:,} children in all", holds=total == CHILDREN)
    play.results["children, in and out"] = f"{total:,}, equal in all {len(came_out)} sums"
    return came_out


def audit(play: Play) -> None:
    """An auditor replays the log, over HTTPS and then from files."""
    stage = play.stage
    stage.step("7  The audit log, verified without trusting the gateway")
    token = _staff_token(play, "eve", "auditor")
    key = ("--log-key", str(stage.keys / "log.vkey"))
    verified = load(stage.gateway("audit", "verify", *key, *token, "--json"))
    tiles = stage.folder / "auditor" / "log"
    stage.gateway("audit", "export", "--out", str(tiles), *token)
    stage.gateway("audit", "verify", *key, "--folder", str(tiles))
    actions = verified["actions"]
    stored, received = actions["submission.stored"], actions["submission.received"]
    stage.require(f"{verified['entries']:,} entries replayed; every hash and signature holds",
                  holds=bool(verified["verified"]))  # fmt: skip
    fact = f"{received} received, {stored} stored, {actions['submission.rejected']} rejected: none"
    ended = stored + actions["submission.rejected"]
    stage.require(f"{fact} without its end", holds=received == ended)
    play.results["audit log"] = f"{verified['entries']:,} entries, verified twice"


def _enrolled(stage: Stage, agency_id: str) -> Desk:
    desk = Desk.open(agency_id, stage.folder / "agencies" / agency_id)
    with stage.administration() as services:
        by = administrator()
        services.enrolment.enrol(agency_id, desk.certificate.read_bytes(), by=by)
        issued = services.access.issue(
            "data-officer",
            Role.SUBMITTER,
            agency_id=agency_id,
            valid_for=timedelta(days=1),
            by=by,
        )
    desk.keep_token(issued.secret)
    return desk


def _packaged_cases(play: Play, desk: Desk, folder: Path) -> Path:
    """Six children in three files, with three cells wrong, packaged by the command."""
    folder.mkdir()
    records = children(6)
    records["CASE"][1]["sex"] = "Q"
    records["EXPL"][3]["exploitation_type"] = "CRIMINAL"
    records["DECN"][4]["decision_date"] = "2026-02-30"
    for kind, rows in records.items():
        with (folder / f"{kind}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = DictWriter(file, play.standard.records[kind].header, restval="")
            writer.writeheader()
            writer.writerows(rows)
    profile, package = folder / "agency.toml", folder / "package.zip"
    profile.write_text(EXAMPLE.replace(EXAMPLE_AGENCY, desk.agency_id), "utf-8")
    files = [str(folder / f"{kind}.csv") for kind in records]
    facts = ("--profile", str(profile), "--period", "2026Q1", "--key", str(desk.key))
    play.stage.gateway("package", *files, *facts, "--out", str(package))
    return package


def _verify_receipt(play: Play, receipt: Path, message: Path) -> None:
    stage = play.stage
    stage.say("  The receipt, verified with nothing but the log's public key:")
    key = ("--log-key", str(stage.keys / "log.vkey"), "--message", str(message))
    stage.quote(stage.gateway("receipt", "verify", str(receipt), *key))
    play.results["receipt"] = "verified offline"


def _send_badly(play: Play, desk: Desk, message: Path, submission: str) -> None:
    """What goes wrong in life: twice, damaged on the way, and somebody else's."""
    stage = play.stage
    stage.say("  Sent again, sent damaged, and looked at by somebody else:")
    again = desk.post(message.read_bytes(), stage.url)
    stage.require("the same bytes are one submission", holds=again["id"] == submission)
    damaged = bytearray(message.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    found = desk.wait(desk.post(bytes(damaged), stage.url), stage.url)
    require_state(found, "rejected", "mdc-failed")
    stage.require("a damaged message is rejected with mdc-failed", holds=True)
    other = next(each for name, each in play.desks.items() if name != desk.agency_id)
    token = ("--token-file", str(other.folder / "token"))
    stage.gateway("submissions", "show", submission, *token, expect=4)
    stage.require("another agency is told that there is no such submission", holds=True)


def _staff_token(play: Play, name: str, role: str) -> tuple[str, str]:
    file = play.stage.folder / f"{name}.token"
    secret = play.stage.administer("token", "issue", name, "--role", role)
    file.touch(mode=0o600)
    file.write_text(secret, "ascii")
    return "--token-file", str(file)
