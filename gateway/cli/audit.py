"""`gateway audit`: verify the log without trusting the gateway, prove parts of it, take it away."""

import json
from pathlib import Path
from typing import Any

import click

from audit.checkpoint import Checkpoint
from audit.errors import TileMissing
from audit.export import export_tiles
from audit.replay import replay
from audit.tilepath import CHECKPOINT_PATH
from audit.tiles import FolderSource, TileSource
from gateway.cli.options import EXISTING, FOLDER, client_options, json_option, open_client
from gateway.cli.output import print_facts, print_json, step_progress
from gateway.cli.receipt import read_verifier
from gateway.client import GatewayClient, Refused

log_key_option = click.option(
    "--log-key", required=True, help="The log's verifier key, or a file that holds it."
)


class HttpsSource:
    """The log as the gateway publishes it, held to the checkpoint that was read first."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client
        self._head: bytes | None = None

    def read(self, path: str) -> bytes:
        """A checkpoint, tile or bundle; raises TileMissing."""
        if path == CHECKPOINT_PATH:
            if self._head is None:
                self._head = self._client.data("/v1/log/checkpoint")
            return self._head
        try:
            return self._client.data(f"/v1/log/{path}")
        except Refused as refused:
            if refused.status != 404:
                raise
            raise TileMissing(path) from refused


@click.group()
def audit() -> None:
    """Verify the audit log, prove what is in it, and take it away."""


@audit.command()
@log_key_option
@click.option("--folder", type=FOLDER, help="A log that was exported, in place of the gateway.")
@click.option("--since", type=EXISTING, help="A checkpoint of last time: the log must extend it.")
@click.option("--keep", type=click.Path(dir_okay=False, path_type=Path), help="Keep it here.")
@client_options
@json_option
def verify(
    *,
    log_key: str,
    folder: Path | None,
    since: Path | None,
    keep: Path | None,
    url: str | None,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Replay the whole log and check every entry, hash and signature."""
    verifier, source = read_verifier(log_key), _source(folder, url, token_file)
    before = None if since is None else Checkpoint.verify(since.read_bytes(), verifier=verifier)
    with step_progress("Verifying", None) as bar:
        task = bar.task_ids[0]
        replayed = replay(
            source,
            verifier=verifier,
            since=[] if before is None else [before],
            on_progress=lambda done, all_: bar.update(task, completed=done, total=all_),
        )
    if keep is not None:
        keep.write_bytes(source.read(CHECKPOINT_PATH))
    facts: dict[str, Any] = {
        "log": replayed.checkpoint.origin,
        "entries": replayed.entries,
        "root": replayed.checkpoint.root.hex(),
        "extends": before.size if before else None,
    }
    actions = {str(action): count for action, count in sorted(replayed.actions.items())}
    if as_json:
        print_json({**facts, "verified": True, "actions": actions})
    else:
        print_facts({"verified": "yes", **facts, **actions})


@audit.group()
def prove() -> None:
    """Fetch a proof (RFC 6962 section 2.1)."""


@prove.command()
@click.argument("index", type=click.IntRange(0))
@client_options
def inclusion(index: int, *, url: str | None, token_file: Path | None) -> None:
    """Prove that entry INDEX is in the log, as JSON with the checkpoint that it leads to."""
    print(json.dumps(open_client(url, token_file).get("/v1/log/proofs/inclusion", index=index)))


@prove.command()
@click.argument("first", type=click.IntRange(0))
@click.argument("second", type=click.IntRange(0))
@client_options
def consistency(first: int, second: int, *, url: str | None, token_file: Path | None) -> None:
    """Prove that the log of size SECOND only adds to that of size FIRST, as JSON."""
    path = "/v1/log/proofs/consistency"
    print(json.dumps(open_client(url, token_file).get(path, first=first, second=second)))


@audit.command()
@click.option("--out", type=FOLDER, required=True, help="The folder to write or to continue.")
@client_options
@json_option
def export(*, out: Path, url: str | None, token_file: Path | None, as_json: bool) -> None:
    """Take the log away as files (C2SP tlog-tiles), to verify or mirror it elsewhere."""
    source = HttpsSource(open_client(url, token_file))
    with step_progress("Exporting", None) as bar:
        task = bar.task_ids[0]
        head = export_tiles(
            source,
            out,
            on_progress=lambda done, all_: bar.update(task, completed=done, total=all_),
        )
    facts = {"log": head.origin, "entries": head.size, "folder": str(out)}
    print_json(facts) if as_json else print_facts(facts)


def _source(folder: Path | None, url: str | None, token_file: Path | None) -> TileSource:
    if folder is not None:
        return FolderSource(folder)
    return HttpsSource(open_client(url, token_file))
