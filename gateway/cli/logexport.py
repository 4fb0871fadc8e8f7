"""`gateway audit export`: the log as files for anybody to verify, or as lines for other programs.

Lines are written while the log is replayed, and the file appears only once everything has verified.
"""

import csv
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

import click

from audit.checkpoint import Checkpoint
from audit.entry import Entry
from audit.export import export_tiles
from audit.ocsf import to_ocsf
from audit.replay import replay
from audit.table import HEADER, row
from audit.times import Chronology
from gateway.cli.logsources import Where, read_log_keys, source_options
from gateway.cli.options import json_option
from gateway.cli.output import print_facts, print_json, step_progress

WriteEntry = Callable[[bytes, int], str]


def _jsonl(data: bytes, _: int) -> str:
    return f"{data.decode('ascii')}\n"


def _csv(data: bytes, index: int) -> str:
    return _line(row(Entry.from_bytes(data), index))


def _ocsf(data: bytes, index: int) -> str:
    return f"{json.dumps(to_ocsf(Entry.from_bytes(data), index), separators=(',', ':'))}\n"


def _line(cells: Sequence[str]) -> str:
    text = StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


FORMATS: dict[str, tuple[str, WriteEntry]] = {
    "jsonl": ("", _jsonl),
    "csv": (_line(HEADER), _csv),
    "ocsf": ("", _ocsf),
}


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["tiles", *FORMATS]),
    default="tiles",
    help="tiles (C2SP tlog-tiles), or lines: jsonl, csv, ocsf.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="For tiles a folder, written or continued; for lines a new file.",
)
@click.option("--log-key", help="As for verify. Needed for lines, which are verified first.")
@source_options
@json_option
def export(*, form: str, out: Path, log_key: str | None, as_json: bool, **where: Any) -> None:
    """Take the log away: to verify or mirror it elsewhere, or as lines for other programs."""
    if form == "tiles":
        head = _tiles(Where(**where), out)
    elif log_key is None:
        raise click.UsageError("Lines are verified before they are written: name --log-key.")
    else:
        head = _lines(Where(**where), out, form=form, log_key=log_key)
    facts = {"log": head.origin, "entries": head.size, "format": form, "out": str(out)}
    print_json(facts) if as_json else print_facts(facts)


def _tiles(where: Where, out: Path) -> Checkpoint:
    with step_progress("Exporting", None) as bar:
        task = bar.task_ids[0]
        return export_tiles(
            where.open(),
            out,
            on_progress=lambda done, all_: bar.update(task, completed=done, total=all_),
        )


def _lines(where: Where, out: Path, *, form: str, log_key: str) -> Checkpoint:
    if out.exists():
        raise FileExistsError(17, "File exists", str(out))
    draft = out.with_name(f"{out.name}.new")
    try:
        with draft.open("w", encoding="utf-8", newline="") as stream:
            head = _write(stream, where, form=form, log_key=log_key)
        draft.rename(out)
    finally:
        draft.unlink(missing_ok=True)
    return head


def _write(stream: TextIO, where: Where, *, form: str, log_key: str) -> Checkpoint:
    begin, write = FORMATS[form]
    stream.write(begin)
    done = 0

    def take(entries: Sequence[bytes]) -> None:
        nonlocal done
        stream.writelines(write(data, index) for index, data in enumerate(entries, done))
        done += len(entries)

    with where.ahead() as source, step_progress("Exporting", None) as bar:
        task = bar.task_ids[0]
        return replay(
            source,
            verifier=read_log_keys(log_key),
            times=Chronology(now=datetime.now(UTC)),
            on_entries=take,
            on_progress=lambda done, all_: bar.update(task, completed=done, total=all_),
        ).checkpoint
