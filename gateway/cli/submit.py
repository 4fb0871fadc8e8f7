"""`gateway submit`: check, sign, encrypt, upload, wait, and print the report."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import click

from crypto import Certificate, read_certificate, sign_and_encrypt
from gateway.cli import gnupg
from gateway.cli.failures import REFUSED, REJECTED, UNTRUSTED, USAGE, Failure, Stop
from gateway.cli.files import load_key, nothing_to_sign_with, write_new
from gateway.cli.options import (
    EXISTING,
    NEW_FILE,
    client_options,
    json_option,
    key_options,
    open_client,
)
from gateway.cli.output import byte_progress, print_json, say
from gateway.cli.package import TYPES, build, kind_of, signer
from gateway.cli.validate import STATUS
from gateway.client import GatewayClient, Refused, Upload
from validators.checking import check_package, is_package
from validators.report import Report, render_text

SETTLED = {"stored", "checked", "released", "rejected", "failed", "withdrawn", "destroyed"}
POLL_SECONDS = 0.5

_Follow = Callable[[GatewayClient, dict[str, Any], Mapping[str, Any]], None]


@click.command()
@click.argument("files", nargs=-1, required=True, type=EXISTING)
@client_options
@key_options
@click.option("--profile", type=EXISTING, help="The agency's own facts, as for `gateway package`.")
@click.option("--period", help="The quarter of the return, such as 2026Q1.")
@click.option("--type", "submission_type", type=TYPES, help="RETURN, unless it replaces another.")
@click.option("--gateway-certificate", type=EXISTING, help="The gateway's certificate, if at hand.")
@click.option("--gateway-fingerprint", help="Refuse to encrypt to any other key than this.")
@click.option(
    "--replaces",
    type=click.UUID,
    help="The submission to replace: its id, or that of its package; makes it a REPLACEMENT.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Have the gateway judge it all the same, and store, count and keep nothing.",
)
@click.option("--force", is_flag=True, help="Send it even if the checks here would reject it.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait for the report.")
@click.option(
    "--receipt",
    type=NEW_FILE,
    help="Write the receipt here; it can be verified offline, for ever.",
)
@click.option(
    "--promise",
    type=NEW_FILE,
    help="Write the log's promise of a receipt here, as soon as the message has arrived.",
)
@click.option(
    "--message",
    type=NEW_FILE,
    help="Keep the encrypted message here; beside it, the receipt proves that these very bytes "
    "were received.",
)
@json_option
def submit(files: tuple[Path, ...], **options: Any) -> None:
    """Send a package: FILES is one made by `gateway package`, or the record files to make it of.

    Sending the same package again is safe: it is recognised, and nothing is counted twice.

    With --dry-run the gateway says what would become of it, as `gateway validate` does, and besides
    what it alone knows: your key, and what you sent before. The package can be sent afterwards as
    it is.
    """
    _require_one_way(options)
    _require_free(options["receipt"])
    _require_free(options["promise"])
    client = open_client(options["url"], options["token_file"])
    gateway = _gateway_certificate(client, options)
    replaced = _replaced(client, options["replaces"])
    data = _package(files, gateway, replaced, options)
    if not options["force"]:
        report = _check_first(data, as_json=options["as_json"])
        known = None if options["dry_run"] else _known(client, report.submission_id)
        if known is not None:
            say(f"The gateway has this package already, as {known['id']}. Nothing was sent.")
            _keep_promise(client, known, options["promise"])
            _end(client, known, _follow, options)
            return
    with TemporaryDirectory(prefix="gateway-submit-") as folder:
        message: Path = options["message"] or Path(folder) / "package.pgp"
        write_new(message, _encrypted(data, gateway, options))
        if options["dry_run"]:
            received = _try_out(client, message)
        else:
            received = _upload(client, message, replaced)
            _keep_promise(client, received, options["promise"])
    _end(client, received, _follow_dry_run if options["dry_run"] else _follow, options)


def _end(
    client: GatewayClient, received: dict[str, Any], follow: _Follow, options: Mapping[str, Any]
) -> None:
    if options["wait"]:
        follow(client, received, options)
    elif options["as_json"]:
        print_json(received)
    else:
        print(received["id"])


def _require_one_way(options: Mapping[str, Any]) -> None:
    given = [name for name in ("replaces", "receipt", "promise") if options[name] is not None]
    if options["dry_run"] and given:
        raise click.UsageError(
            f"--{given[0]} does not go with --dry-run: a dry run replaces nothing and has no "
            "receipt. Whether a package may replace another is judged by its manifest."
        )


def _require_free(proof: Path | None) -> None:
    """Look before anything is sent: it would be sent again only to be refused as known."""
    if proof is not None and proof.exists():
        raise Failure(
            f"{proof} is there already. Nothing was sent.",
            "If it is this package's, the gateway has it: `gateway submissions list` shows what "
            "became of it. If not, name another place.",
        )


def _replaced(client: GatewayClient, wanted: UUID | None) -> dict[str, Any] | None:
    """The submission to replace, by either of its two ids."""
    if wanted is None:
        return None
    try:
        return client.get(f"/v1/submissions/{wanted}")
    except Refused as refused:
        found = _of_package(client, str(wanted)) if refused.code == "not-found" else []
        if not found:
            raise
        return found[0]


def _known(client: GatewayClient, package_id: str | None) -> dict[str, Any] | None:
    """What has become of this very package; None where it was not received, or failed here."""
    found = _of_package(client, package_id) if package_id is not None else []
    return next((each for each in reversed(found) if each["state"] != "failed"), None)


def _of_package(client: GatewayClient, package_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]]
    found = client.get("/v1/submissions", package_id=package_id)["submissions"]
    return found


def _package(
    files: tuple[Path, ...],
    gateway: Certificate,
    replaced: dict[str, Any] | None,
    options: Mapping[str, Any],
) -> bytes:
    """The package, read or made; made in memory, as it holds the records in the clear."""
    if len(files) == 1 and is_package(files[0].name):
        return files[0].read_bytes()
    if options["profile"] is None or options["period"] is None:
        raise Failure(
            "Record files alone do not say whose they are and of which quarter.",
            "Add --profile and --period, or make a package with `gateway package` first.",
            status=USAGE,
        )
    package_id = None if replaced is None else UUID(replaced["package_id"])
    further = kind_of(options["submission_type"], package_id)
    further["gateway"] = gateway.fingerprint
    sign = signer(options["key"], options["passphrase_file"], options["gpg_user"])
    return build(files, options["profile"], options["period"], further=further, sign=sign).data


def _check_first(data: bytes, *, as_json: bool) -> Report:
    report = check_package(data, today=datetime.now(UTC).date())
    if report.verdict == "rejected":
        print_json(report.to_dict()) if as_json else print(render_text(report), end="")
        say("Nothing was sent. Mend the package, or send it as it is with --force.")
        raise Stop(REJECTED)
    return report


def _gateway_certificate(client: GatewayClient, options: Mapping[str, Any]) -> Certificate:
    file: Path | None = options["gateway_certificate"]
    data = client.data("/v1/certificate") if file is None else file.read_bytes()
    certificate = read_certificate(data, now=datetime.now(UTC))
    wanted: str | None = options["gateway_fingerprint"]
    if wanted is not None and wanted.replace(" ", "").lower() != certificate.fingerprint.lower():
        raise Failure(
            f"The gateway's key is {certificate.fingerprint}, not {wanted}.",
            "Ask the Commissioner's office which is right, by telephone. Nothing was sent.",
            status=UNTRUSTED,
        )
    if file is None and wanted is None:
        say(
            f"Encrypting to the gateway's key {certificate.fingerprint}; pin it with "
            "--gateway-fingerprint."
        )
    return certificate


def _encrypted(data: bytes, gateway: Certificate, options: Mapping[str, Any]) -> bytes:
    if options["gpg_user"]:
        return gnupg.sign_and_encrypt(data, user=options["gpg_user"], recipient=gateway)
    if options["key"] is None:
        raise nothing_to_sign_with()
    sink = BytesIO()
    sign_and_encrypt(
        BytesIO(data),
        sink,
        signer=load_key(options["key"], options["passphrase_file"]),
        recipients=[gateway],
        now=datetime.now(UTC),
    )
    return sink.getvalue()


def _upload(
    client: GatewayClient, message: Path, replaced: dict[str, Any] | None
) -> dict[str, Any]:
    upload = Upload.of(message)
    replaces = None if replaced is None else replaced["id"]
    with byte_progress("Sending", upload.size) as bar:
        submission = client.submit(
            upload, replaces=replaces, progress=lambda count: bar.advance(bar.task_ids[0], count)
        )
    say(f"Received as {submission['id']}. It is safe now, whatever happens.")
    return submission


def _keep_promise(client: GatewayClient, submission: dict[str, Any], file: Path | None) -> None:
    if file is not None:
        write_new(file, client.data(f"/v1/submissions/{submission['id']}/promise"))
        say(f"The promise of a receipt is in {file}.")


def _try_out(client: GatewayClient, message: Path) -> dict[str, Any]:
    upload = Upload.of(message)
    with byte_progress("Sending", upload.size) as bar:
        dry_run = client.try_out(upload, progress=lambda count: bar.advance(bar.task_ids[0], count))
    say(f"Received as dry run {dry_run['id']}.")
    return dry_run


def _follow(client: GatewayClient, submission: dict[str, Any], options: Mapping[str, Any]) -> None:
    path = f"/v1/submissions/{submission['id']}"
    submission = _settled(client, path, submission)
    if options["receipt"] is not None:
        write_new(options["receipt"], client.data(f"{path}/receipt"))
        say(f"The receipt is in {options['receipt']}.")
    try:
        report = client.get(f"{path}/report")
    except Refused as refused:
        raise Failure(
            f"The submission is {submission['state']}; there is no report: {refused.message}",
            "The gateway's operators have been told. Send nothing again before they answer.",
            status=REFUSED,
        ) from refused
    _tell(submission, report, options)
    raise Stop(STATUS[report["verdict"]])


def _follow_dry_run(
    client: GatewayClient, dry_run: dict[str, Any], options: Mapping[str, Any]
) -> None:
    path = f"/v1/dry-runs/{dry_run['id']}"
    dry_run = _settled(client, path, dry_run)
    try:
        report = client.get(f"{path}/report")
    except Refused as refused:
        raise Failure(
            f"The dry run is {dry_run['state']}; there is no report: {refused.message}",
            "Run the same command again; if it fails again, tell the gateway's operators.",
            status=REFUSED,
        ) from refused
    _tell(dry_run, report, options)
    then = "" if report["verdict"] == "rejected" else " Send it without --dry-run."
    say(f"This was a dry run: nothing was stored or counted.{then}")
    raise Stop(STATUS[report["verdict"]])


def _settled(client: GatewayClient, path: str, found: dict[str, Any]) -> dict[str, Any]:
    while found["state"] not in SETTLED:
        time.sleep(POLL_SECONDS)
        found = client.get(path)
    return found


def _tell(found: dict[str, Any], report: dict[str, Any], options: Mapping[str, Any]) -> None:
    if options["as_json"]:
        print_json({**found, "report": report})
    else:
        print(show_report(report), end="")


def show_report(report: Mapping[str, Any]) -> str:
    """The gateway's answer as text, whether it judged the rows or refused the whole."""
    if "refusal" in report:
        refusal = report["refusal"]
        return f"Rejected: {refusal['message']} [{refusal['code']}]\n{refusal['mend']}\n"
    return render_text(Report.from_dict(report))
