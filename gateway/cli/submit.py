"""`gateway submit`: check, sign, encrypt, upload, wait, and print the report."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import click

from gateway.cli.channels import channel_options, open_channel
from gateway.cli.failures import Failure
from gateway.cli.files import write_new
from gateway.cli.following import Wanted, end
from gateway.cli.options import EXISTING, GIVEN, NEW_FILE, json_option, key_options
from gateway.cli.outgoing import check_first, message_of, package_of, recipient, require_replacing
from gateway.cli.output import byte_progress, say
from gateway.cli.package import TYPES, require_files
from gateway.client import Channel, Kind, Received, Upload, not_here


@click.command()
@click.argument("files", nargs=-1, required=True, type=GIVEN)
@channel_options
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

    It goes over HTTPS with a token, and over SFTP with an SSH key; with both, over SFTP where HTTPS
    is closed.

    With --dry-run the gateway says what would become of it, as `gateway validate` does, and besides
    what it alone knows: your key, and what you sent before. The package can be sent afterwards as
    it is.
    """
    require_files(files)
    _require_one_way(options)
    _require_free(options["receipt"])
    _require_free(options["promise"])
    wanted = Wanted(options["wait"], options["receipt"], options["as_json"])
    with open_channel(options) as channel:
        end(channel, _received(channel, files, options), wanted)


def _received(channel: Channel, files: tuple[Path, ...], options: Mapping[str, Any]) -> Received:
    """What the gateway has of the package, after it was sent or because it was there already."""
    gateway = recipient(channel, options)
    replaced = _replaced(channel, options["replaces"])
    data = package_of(files, gateway, replaced, options)
    if not options["force"]:
        report = check_first(data, as_json=options["as_json"])
        require_replacing(data, replaced)
        known = None if options["dry_run"] else _known(channel, report.submission_id)
        if known is not None:
            say(f"The gateway has this package already, as {known.id}. Nothing was sent.")
            _keep_promise(channel, known, options["promise"])
            return known
    with TemporaryDirectory(prefix="gateway-submit-") as folder:
        message: Path = options["message"] or Path(folder) / "package.pgp"
        write_new(message, message_of(data, gateway, options))
        kind = Kind.DRY_RUN if options["dry_run"] else Kind.SUBMISSION
        received = _send(channel, kind, message, replaced)
    _keep_promise(channel, received, options["promise"])
    return received


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


def _replaced(channel: Channel, wanted: UUID | None) -> Received | None:
    """The submission to replace, by either of its two ids."""
    if wanted is None:
        return None
    found = channel.find(Kind.SUBMISSION, str(wanted)) or next(
        iter(channel.of_package(str(wanted))), None
    )
    if found is None:
        raise not_here(Kind.SUBMISSION)
    return found


def _known(channel: Channel, package_id: str | None) -> Received | None:
    """What has become of this very package; None where it was not received, or failed here."""
    found = channel.of_package(package_id) if package_id is not None else []
    return next((each for each in reversed(found) if each.state != "failed"), None)


def _send(channel: Channel, kind: Kind, message: Path, replaced: Received | None) -> Received:
    upload = Upload.of(message)
    replaces = None if replaced is None else replaced.id
    with byte_progress("Sending", upload.size) as bar:
        received = channel.send(
            kind,
            upload,
            replaces=replaces,
            progress=lambda count: bar.advance(bar.task_ids[0], count),
        )
    if kind is Kind.DRY_RUN:
        say(f"Received as dry run {received.id}.")
    else:
        say(f"Received as {received.id}. It is safe now, whatever happens.")
    return received


def _keep_promise(channel: Channel, received: Received, file: Path | None) -> None:
    if file is not None:
        write_new(file, channel.promise(received))
        say(f"The promise of a receipt is in {file}.")
