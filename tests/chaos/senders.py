"""Faults on the sender's side: lines that break anywhere, and the same message many times."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import cycle, islice

from tests.chaos.doors import Doors, Way
from tests.chaos.experiment import Inflict, Span
from tests.chaos.line import Line
from tests.chaos.site import Site
from tests.chaos.traffic import Traffic

EVERY_PERCENT = tuple(range(1, 101))
CHILDREN = 300
"""So that a message is some packets of SFTP, and more than one read of the web process."""

CHANNELS = ("https", "sftp", "tus")
AT_ONCE = 50


def cut(percents: Iterable[int]) -> Inflict:
    """Cut the line after each of these parts of a message, 100 being just before the answer.

    Over each channel, and however long it takes: then the sender goes on until it is acknowledged.
    """
    wanted = tuple(percents)

    def inflict(site: Site, traffic: Traffic, span: Span) -> Counter[str]:
        del span
        cuts: Counter[str] = Counter()

        def over(channel: str) -> None:
            cuts[channel] = _cut_over(channel, site.doors, traffic, wanted)

        traffic.at_once([partial(over, channel) for channel in CHANNELS])
        return cuts

    return inflict


def _cut_over(channel: str, doors: Doors, traffic: Traffic, percents: Iterable[int]) -> int:
    with _broken(doors, channel) as (behind, line):
        way: Way = getattr(behind, f"over_{channel}")
        for percent in percents:
            message = doors.sender.message(CHILDREN)
            behind.before_body = _once(line, len(message), percent)
            traffic.deliver(message, way)
        return line.cuts


@contextmanager
def _broken(doors: Doors, channel: str) -> Iterator[tuple[Doors, Line]]:
    """The same doors at the other end of a line that breaks."""
    name = "sftp_port" if channel == "sftp" else "web_port"
    with Line(getattr(doors, name)) as line:
        yield replace(doors, **{name: line.port}), line


def _once(line: Line, size: int, percent: int) -> Callable[[], None]:
    """Have the line cut in the first body that is sent, and in no other."""
    left = [percent]

    def arm() -> None:
        while left:
            part = left.pop()
            if part == 100:
                line.cut_answer()
            else:
                line.cut_after(max(1, size * part // 100))

    return arm


def at_once(site: Site, traffic: Traffic, span: Span) -> Counter[str]:
    """The same message, fifty times at the same moment over all channels, again and again."""
    rounds: Counter[str] = Counter()
    while span.goes_on() or not rounds:
        message = site.doors.sender.message(1)
        ways = islice(cycle(site.doors.ways), AT_ONCE)
        traffic.at_once([partial(traffic.deliver, message, way) for way in ways])
        rounds["fifty-at-once"] += 1
    return rounds
