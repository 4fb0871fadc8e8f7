"""`make demo`: the main job on real counts, with real servers, on this machine.

61 agencies, 327 returns, 5,774 children: enrolled, sent in three ways, checked, sealed, audited,
released by two people, unsealed, and compared with the source. Ends with 1 if anything is not as it
must be. What it made stays in .demo until `make clean`.
"""

import os
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.demo import acts
from deploy.demo.play import Play
from deploy.demo.returns import Sums
from deploy.demo.stage import DemoFailed, Stage

FOLDER = Path(".demo")


def main() -> int:
    """Play all acts; the exit status is 1 if one of them failed."""
    console = Console(width=None if sys.stdout.isatty() else 100)
    started = time.monotonic()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(mode=0o700)
    play = Play(Stage(FOLDER.absolute(), console))
    try:
        _play(play, console)
    except (DemoFailed, AssertionError) as failure:
        console.print(f"[red]✘[/red] {failure}", highlight=False)
        return 1
    _summary(play, console, seconds=time.monotonic() - started)
    return 0


def _play(play: Play, console: Console) -> None:
    play.stage.step("0  A gateway of its own: PostgreSQL, an object store, web, workers, sequencer")
    with play.stage.running():
        play.stage.say(f"  gateway serve is ready at {play.stage.url}")
        if "CHECKER_FOLDER" in os.environ:
            play.stage.say(f"  a return is checked in the browser at {play.stage.url}/check/")
        acts.enrol(play)
        acts.send_returns(play)
        acts.send_unregistered(play)
        acts.send_cases(play)
        acts.release(play)
        console.print(_by_quarter(acts.compare(play)))
        acts.audit(play)
    play.stage.say("  Everything is stopped again.")


def _by_quarter(sums: Sums) -> Table:
    """Children by quarter and sex; a child counts under one combination of types."""
    table = Table("  first day of quarter", box=None)
    for column in ("girls", "boys", "other or unknown", "children"):
        table.add_column(column, justify="right")
    quarters = sorted({quarter for quarter, _, _ in sums})
    for quarter in quarters:
        by_sex: Counter[str] = Counter()
        for (start, _, sex), count in sums.items():
            by_sex[sex] += count * (start == quarter)
        rest = by_sex.total() - by_sex["F"] - by_sex["M"]
        numbers = (by_sex["F"], by_sex["M"], rest, by_sex.total())
        table.add_row(f"  {quarter}", *(f"{number:,}" for number in numbers))
    return table


def _summary(play: Play, console: Console, *, seconds: float) -> None:
    table = Table("what", "outcome", title="All as it must be", title_style="bold green")
    for what, outcome in play.results.items():
        table.add_row(what, outcome)
    table.add_row("time", f"{seconds:.0f} s")
    console.print()
    console.print(table)
    console.print("The files are in .demo; `make clean` removes them.", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
