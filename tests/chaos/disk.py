"""The disk of the SFTP spool fills up while files are on their way, and is emptied again."""

from collections import Counter

from tests.chaos.experiment import Span
from tests.chaos.site import Site
from tests.chaos.traffic import Traffic

LEFT = (0, 16384)
"""Room for nothing, not even the mark beside a file; and for a part of the file."""

A_CHILD = 150
"""A message has more octets than this for each child."""


def fill(site: Site, traffic: Traffic, span: Span) -> Counter[str]:
    """Fill it again and again; each time somebody sends what does not fit there."""
    fillings: Counter[str] = Counter()
    while span.goes_on() or len(fillings) < len(LEFT):
        span.pause(0.2, 1.0)
        left = min(LEFT, key=lambda left: fillings[_case(left)])
        with site.disk.full(site.processes.pid("sftp"), left=left) as room:
            large = site.doors.sender.message(room // A_CHILD + 1)
            if site.doors.over_sftp(large) is not None:
                raise AssertionError("a file was taken that there was no room for")
            span.pause(0.5, 1.5)
        traffic.deliver(large, site.doors.over_sftp)
        fillings[_case(left)] += 1
    return fillings


def _case(left: int) -> str:
    return f"spool-full-but-{left}"
