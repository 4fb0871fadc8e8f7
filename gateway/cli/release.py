"""`gateway release`: ask for a release, decide on another person's, fetch what was approved."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from audit.checkpoint import Checkpoint
from audit.entry import Entry
from audit.keyring import LogKeys
from audit.merkle import leaf_hash, verify_inclusion
from crypto import read_certificate, verify_detached
from gateway.cli.failures import UNTRUSTED, Failure
from gateway.cli.files import write_new
from gateway.cli.logsources import log_key_option, read_log_keys
from gateway.cli.nouns import Noun
from gateway.cli.options import EXISTING, FOLDER, client_options, json_option, open_client
from gateway.cli.output import print_facts, print_json, print_records, say, step_progress
from gateway.client import GatewayClient, Refused, Upload
from validators.strictjson import load_object

COLUMNS = ("requested_at", "id", "name", "state", "items", "requested_by", "decided_by")

_PATIENCE = 4
"""How often the client's own patience, half a minute, is spent on a manifest that is not signed."""


@click.group(cls=Noun)
def release() -> None:
    """Hand sealed submissions over: one person asks, another decides."""


@release.command()
@click.argument("name")
@click.option(
    "--purpose", required=True, help="What the data is for, in a sentence of 10 to 500 characters."
)
@click.option("--from", "start", help="Only periods that begin on or after this day: 2026-01-01.")
@click.option("--to", "end", help="Only periods that end on or before this day: 2026-03-31.")
@client_options
@json_option
def request(
    name: str,
    *,
    purpose: str,
    start: str | None,
    end: str | None,
    url: str | None,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Ask for a release; the set of submissions is fixed now.

    NAME is yours to choose: 3 to 63 small letters, digits and hyphens, such as figures-2026q1.
    """
    body = {"name": name, "purpose": purpose, "period_start": start, "period_end": end}
    given = {key: value for key, value in body.items() if value is not None}
    _show(open_client(url, token_file).post("/v1/releases", given), as_json=as_json)


@release.command()
@click.argument("release_id", metavar="RELEASE", type=click.UUID)
@client_options
@json_option
def approve(release_id: UUID, *, url: str | None, token_file: Path | None, as_json: bool) -> None:
    """Approve a release that another person asked for."""
    _decide(open_client(url, token_file), release_id, "approve", as_json=as_json)


@release.command()
@click.argument("release_id", metavar="RELEASE", type=click.UUID)
@client_options
@json_option
def refuse(release_id: UUID, *, url: str | None, token_file: Path | None, as_json: bool) -> None:
    """Refuse a release that another person asked for."""
    _decide(open_client(url, token_file), release_id, "refuse", as_json=as_json)


@release.command("list")
@client_options
@json_option
def list_(*, url: str | None, token_file: Path | None, as_json: bool) -> None:
    """Show all releases, newest first."""
    found = open_client(url, token_file).get("/v1/releases")
    if as_json:
        print_json(found)
        return
    print_records(COLUMNS, found["releases"])


@release.command()
@click.argument("release_id", metavar="RELEASE", type=click.UUID)
@client_options
@json_option
def show(release_id: UUID, *, url: str | None, token_file: Path | None, as_json: bool) -> None:
    """Show one release."""
    _show(open_client(url, token_file).get(f"/v1/releases/{release_id}"), as_json=as_json)


@release.command()
@click.argument("release_id", metavar="RELEASE", type=click.UUID)
@click.option("--out", type=FOLDER, required=True, help="The folder to write into.")
@click.option(
    "--gateway-certificate",
    type=EXISTING,
    required=True,
    help="The gateway's certificate, got by another way than from the gateway.",
)
@log_key_option
@client_options
@json_option
def fetch(
    release_id: UUID,
    *,
    out: Path,
    gateway_certificate: Path,
    log_key: str,
    url: str | None,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Fetch an approved release, and verify all of it.

    The manifest's signature, every object's SHA-256 and its place in the audit log are checked. The
    objects stay sealed: `gateway unseal` opens them.
    """
    client = open_client(url, token_file)
    signed = _signed(client, f"/v1/releases/{release_id}/manifest")
    manifest = _verified(signed, gateway_certificate, keys=read_log_keys(log_key))
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in (("manifest.json", "manifest"), ("manifest.json.asc", "signature")):
        _write_or_same(out / name, signed[text].encode())
    fetched = list(_fetch_all(client, release_id, manifest["objects"], out))
    facts = {"release": manifest["name"], "objects": len(fetched), "folder": str(out)}
    print_json(facts) if as_json else print_facts({**facts, "verified": "every object"})


def _signed(client: GatewayClient, path: str) -> dict[str, Any]:
    """The manifest, which a worker signs once the log has every object."""
    for _ in range(_PATIENCE):
        try:
            return client.get(path)
        except Refused as refused:
            if refused.code != "manifest-not-ready":
                raise
    return client.get(path)


def _verified(signed: Mapping[str, str], certificate: Path, *, keys: LogKeys) -> dict[str, Any]:
    """The manifest, once its signature and every object's place in the log have been proven."""
    now = datetime.now(UTC)
    text = signed["manifest"].encode()
    sender = read_certificate(certificate.read_bytes(), now=now)
    verify_detached(text, signed["signature"].encode(), senders=[sender], now=now)
    manifest: dict[str, Any] = load_object(signed["manifest"])
    head = keys.checkpoint(manifest["checkpoint"].encode())
    for each in manifest["objects"]:
        _require_in_log(each, head)
    return manifest


def _require_in_log(each: Mapping[str, Any], head: Checkpoint) -> None:
    entry = each["log_entry"].encode()
    verify_inclusion(
        [bytes.fromhex(node) for node in each["log_proof"]],
        index=each["log_index"],
        size=head.size,
        leaf=leaf_hash(entry),
        root=head.root,
    )
    told = Entry.from_bytes(entry)
    if (told.object_id, told.object_sha256) != (each["submission"], each["sealed_sha256"]):
        raise Failure(
            f"The log entry of submission {each['submission']} is about something else.",
            "Keep the manifest as it is and tell the auditor.",
            status=UNTRUSTED,
        )


def _fetch_all(
    client: GatewayClient, release_id: UUID, objects: list[dict[str, Any]], out: Path
) -> Iterator[Path]:
    with step_progress("Fetching", len(objects)) as bar:
        for each in objects:
            path = out / f"{each['submission']}.pgp"
            if path.exists():  # what was fetched before a broken connection is kept
                require_same(path, expected=each["sealed_sha256"])
            else:
                blocks = client.download(f"/v1/releases/{release_id}/objects/{each['submission']}")
                _write_verified(path, blocks, expected=each["sealed_sha256"])
            bar.advance(bar.task_ids[0])
            yield path


def require_same(path: Path, *, expected: str) -> None:
    """Hold a file against its SHA-256, for it may have been changed since it was fetched."""
    if Upload.of(path).sha256.hex() != expected:
        raise Failure(
            f"{path.name} is not what the manifest says.",
            "Move the file away and fetch the release again; tell the auditor.",
            status=UNTRUSTED,
        )


def _write_verified(path: Path, blocks: Iterator[bytes], *, expected: str) -> None:
    draft, digest = path.with_suffix(".part"), sha256()
    with draft.open("wb") as stream:
        for block in blocks:
            digest.update(block)
            stream.write(block)
    if digest.hexdigest() != expected:
        draft.unlink()
        raise Failure(
            f"{path.name} is not what the manifest says.",
            "Fetch it again; if it happens again, tell the auditor.",
            status=UNTRUSTED,
        )
    draft.rename(path)


def _write_or_same(path: Path, data: bytes) -> None:
    if not path.exists():
        write_new(path, data)
    elif path.read_bytes() != data:
        raise FileExistsError(17, "File exists", str(path))


def _decide(client: GatewayClient, release_id: UUID, decision: str, *, as_json: bool) -> None:
    found = client.post(f"/v1/releases/{release_id}/decision", {"decision": decision})
    _show(found, as_json=as_json)


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_facts(found)
    if found["state"] == "requested":
        say(f"Another analyst must decide: gateway release approve {found['id']}")
