"""`gateway audit`: verify the log without trusting the gateway, prove parts of it, convict it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from audit.checkpoint import Checkpoint
from audit.errors import LogTampered
from audit.evidence import Kit, check_kit
from audit.gather import gather
from audit.keyring import LogKeys
from audit.promise import Promises, open_promise
from audit.proving import prove_entry, prove_growth
from audit.replay import Replayed, replay
from audit.tilepath import CHECKPOINT_PATH
from audit.tiles import TileSource
from audit.times import Chronology
from gateway.cli.failures import IN_PART, Stop
from gateway.cli.files import read_text
from gateway.cli.logexport import export
from gateway.cli.logfindings import finding_facts, finding_lines
from gateway.cli.logkeys import rotate_key
from gateway.cli.logmonitor import monitor
from gateway.cli.logsources import (
    Where,
    log_key_option,
    read_log_keys,
    read_policy,
    source_options,
    witnessed,
    witnesses_option,
)
from gateway.cli.logstamps import Vouched, read_stamps, stamps_options, timestamp, timestamps
from gateway.cli.nouns import Noun
from gateway.cli.options import EXISTING, FOLDER, NEW_FILE, json_option
from gateway.cli.output import print_facts, print_json, say, step_progress


@click.group(cls=Noun)
def audit() -> None:
    """Verify the audit log, prove what is in it, take it away, and convict it."""


audit.add_command(export)
audit.add_command(monitor)
audit.add_command(rotate_key)
audit.add_command(timestamp)
audit.add_command(timestamps)


@audit.command()
@log_key_option
@click.option(
    "--since",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A checkpoint you kept, or a folder of them: the log must extend each.",
)
@click.option(
    "--promise",
    "promised",
    multiple=True,
    type=EXISTING,
    help="A promise that an agency was given: once it is due, the log must hold its entry.",
)
@click.option("--keep", type=NEW_FILE, help="Keep it here.")
@click.option("--cache", type=FOLDER, help="Keep full tiles here, and continue from them.")
@click.option("--evidence", type=FOLDER, help="Write what convicts into this new folder.")
@witnesses_option
@stamps_options
@source_options
@json_option
def verify(
    *,
    log_key: str,
    since: tuple[Path, ...],
    promised: tuple[Path, ...],
    keep: Path | None,
    cache: Path | None,
    evidence: Path | None,
    witnesses: Path | None,
    timestamps: str | None,
    authorities: tuple[Path, ...],
    as_json: bool,
    **where: Any,
) -> None:
    """Replay the whole log and check every entry, hash, time, number and signature."""
    keys = read_log_keys(log_key)
    policy, notes = read_policy(witnesses), _kept_notes(since)
    before = [keys.checkpoint(note) for note in notes]
    promises = Promises(open_promise(read_text(file), keys=keys) for file in promised)
    now = datetime.now(UTC)
    # Before the newest checkpoint is read: the log is then no shorter than what was stamped.
    vouched = read_stamps(timestamps, authorities, keys)
    with Where(**where).ahead(cache=cache) as source:
        try:
            replayed = _replayed(source, keys, before, promises, vouched)
        except LogTampered as found:
            if evidence is not None:
                known = [*notes, *vouched.notes]
                convict_into(evidence, found, source, keys=keys, known=known)
            raise
        note = source.read(CHECKPOINT_PATH)
        if keep is not None:
            keep.write_bytes(note)
    waiting = promises.require_kept(now)
    said = {"witnessed": witnessed(policy, note), **vouched.facts()}
    _print(replayed, before, said, as_json=as_json)
    if waiting:
        say(f"Promises that are not kept and not due yet: {waiting} of {promises.all}.")
    vouched.tell()
    if replayed.findings or vouched.refused:
        raise Stop(IN_PART)


@audit.command()
@click.argument("folder", type=FOLDER)
@log_key_option
@json_option
def convict(folder: Path, *, log_key: str, as_json: bool) -> None:
    """Check the evidence in FOLDER against a log, believing nothing that it says."""
    proven = check_kit(Kit.read(folder), read_log_keys(log_key))
    states = [f"{state.size} entries, root {state.root.hex()}" for state in proven.checkpoints]
    facts = {"proven": proven.claim, "log": proven.checkpoints[0].origin, "what": proven.sentence}
    if as_json:
        print_json({**facts, "signed": states})
    else:
        print_facts({**facts, **{f"signed {n}": state for n, state in enumerate(states, 1)}})


@audit.group(cls=Noun)
def prove() -> None:
    """Make a proof from the published tiles, and verify it before it is printed."""


@prove.command()
@click.argument("index", type=click.IntRange(0))
@log_key_option
@source_options
def inclusion(index: int, *, log_key: str, **where: Any) -> None:
    """Prove that entry INDEX is in the log, as a C2SP tlog-proof that carries the entry."""
    proof = prove_entry(Where(**where).open(), index, read_log_keys(log_key))
    print(proof.to_text(), end="")


@prove.command()
@click.argument("first", type=click.IntRange(1))
@click.argument("second", type=click.IntRange(1))
@log_key_option
@source_options
def consistency(first: int, second: int, *, log_key: str, **where: Any) -> None:
    """Prove that the log of size SECOND only adds to that of size FIRST, as JSON."""
    growth = prove_growth(Where(**where).open(), first, second, read_log_keys(log_key))
    facts = {
        "first": growth.first,
        "second": growth.second,
        "first_root": growth.first_root.hex(),
        "second_root": growth.second_root.hex(),
        "proof": [digest.hex() for digest in growth.proof],
        "checkpoint": growth.checkpoint.decode(),
    }
    print(json.dumps(facts))


def convict_into(
    folder: Path, found: LogTampered, source: TileSource, *, keys: LogKeys, known: Sequence[bytes]
) -> None:
    """Write the kit for what was found, where something signed is contradicted."""
    gathered = gather(found, source, keys=keys, known=known)
    if gathered is None:
        say("Nothing that was signed is contradicted, so no evidence was written. Keep the files.")
        return
    kit, proven = gathered
    kit.write(folder, proven.sentence)
    say(f"{proven.sentence} Evidence: {folder}")


def _kept_notes(since: Sequence[Path]) -> list[bytes]:
    return [file.read_bytes() for path in since for file in _files(path)]


def _files(path: Path) -> list[Path]:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    if not files:
        # Whoever names a folder believes that the log is held to something.
        raise click.UsageError(f"{path} holds no checkpoint.")
    return files


def _replayed(
    source: TileSource,
    keys: LogKeys,
    before: Sequence[Checkpoint],
    promises: Promises,
    vouched: Vouched,
) -> Replayed:
    with step_progress("Verifying", None) as bar:
        task = bar.task_ids[0]
        return replay(
            source,
            verifier=keys,
            since=[*before, *vouched.checkpoints],
            times=Chronology(now=datetime.now(UTC), stamps=vouched.borders),
            on_entries=promises.see,
            on_progress=lambda done, all_: bar.update(task, completed=done, total=all_),
        )


def _print(
    replayed: Replayed, before: Sequence[Checkpoint], said: dict[str, Any], *, as_json: bool
) -> None:
    facts: dict[str, Any] = {
        "log": replayed.checkpoint.origin,
        "entries": replayed.entries,
        "root": replayed.checkpoint.root.hex(),
        "extends": max((checkpoint.size for checkpoint in before), default=None),
        **said,
    }
    actions = {str(action): count for action, count in sorted(replayed.actions.items())}
    findings = [finding_facts(finding) for finding in replayed.findings]
    if as_json:
        print_json({**facts, "verified": True, "actions": actions, "findings": findings})
        return
    print_facts({"verified": "yes", **facts, **actions})
    for line in finding_lines(replayed.findings):
        say(line)
