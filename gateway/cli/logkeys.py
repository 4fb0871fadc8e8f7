"""`gateway audit rotate-key`: a new key for the same log, handed over by the old one."""

from pathlib import Path

import click

from audit.errors import KeyRefused
from audit.keyring import LogKeys, handover_at
from audit.keys import Signer
from gateway.cli.files import read_private_text, read_text, write_new, write_secret
from gateway.cli.options import EXISTING, json_option
from gateway.cli.output import print_facts, print_json, say


@click.command("rotate-key")
@click.option("--old", "old_file", type=EXISTING, required=True, help="The signing key in use.")
@click.option("--new", "new_file", type=EXISTING, help="The next signing key; default: make one.")
@click.option(
    "--checkpoint", type=EXISTING, required=True, help="The last checkpoint of the old key."
)
@click.option("--keys", "keys_file", type=EXISTING, required=True, help="What auditors pin now.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="A folder for what is made.",
)
@json_option
def rotate_key(
    *,
    old_file: Path,
    new_file: Path | None,
    checkpoint: Path,
    keys_file: Path,
    out: Path,
    as_json: bool,
) -> None:
    """Hand the log over to a new key, from the size of a checkpoint on.

    Stop the sequencer first: the checkpoint must be the last that the old key signs alone.
    """
    old = Signer.from_skey(read_private_text(old_file).strip())
    new = _next(old, new_file)
    known = LogKeys.from_text(read_text(keys_file))
    if known.keys[-1] != old.verifier:
        raise KeyRefused("the file of keys does not end with the key that hands over")
    note = handover_at(checkpoint.read_bytes(), old=old, new=new)
    text = f"{read_text(keys_file).rstrip()}\n\n{note.decode()}"
    LogKeys.from_text(text)
    out.mkdir(parents=True, exist_ok=True)
    if new_file is None:
        write_secret(out / "log.skey", f"{new.skey()}\n".encode())
    write_new(out / "handover", note)
    write_new(out / "log.keys", text.encode())
    write_new(out / "log.vkey", f"{new.vkey}\n".encode())
    facts = {"log": old.name, "new_key": new.vkey, "auditors_pin": str(out / "log.keys")}
    print_json(facts) if as_json else print_facts(facts)
    say(
        "Give log.keys to every auditor by the way you gave them the key; then start the sequencer."
    )


def _next(old: Signer, new_file: Path | None) -> Signer:
    if new_file is None:
        return Signer.generate(old.name)
    return Signer.from_skey(read_private_text(new_file).strip())
