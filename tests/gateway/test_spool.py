"""Files that are not whole yet: what is kept of them, and who may write."""

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Conflict, NotFound, RequestRefused, TooMany
from gateway.spool import Growing, Names, Spool, fit
from gateway.spool.box import MOST_FILES, Box, joined

HEAD = b"\x85"
NAMES = Names(bytes(range(32)))


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """One agency's files."""
    return Spool(tmp_path, NAMES, max_bytes=10_000, quota=20_000).of("A")


def left(file: Growing) -> int:
    """Close a file; answer what is kept of it."""
    size = file.settle().size
    file.release(forget=False)
    return size


@contextmanager
def no_room() -> Iterator[None]:
    """Within the block this process can make files and write nothing into them."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_holds_no_file_when_there_is_room_again(box: Box) -> None:
    with no_room(), pytest.raises(OSError, match="File too large"):
        box.open("return.pgp", anew=True)
    file = box.open("return.pgp", anew=True)
    file.write(0, HEAD)
    assert left(file) == len(HEAD)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=30))
def test_spans_are_what_was_written(writes: list[tuple[int, int]]) -> None:
    spans: list[tuple[int, int]] = []
    written: set[int] = set()
    for begin, size in writes:
        spans = joined(spans, (begin, begin + size))
        written |= set(range(begin, begin + size))
    assert {at for begin, end in spans for at in range(begin, end)} == written
    assert all(one[1] < other[0] for one, other in pairwise(spans))


@given(st.text(max_size=40), st.text(max_size=10))
def test_a_hidden_name_is_found_again_and_says_nothing(name: str, agency: str) -> None:
    hidden = NAMES.hide(name, of=agency)
    assert NAMES.show(hidden, of=agency) == name
    assert NAMES.show(hidden, of=agency + "x") is None
    assert Names(bytes(32)).show(hidden, of=agency) is None
    assert name not in hidden or len(name) < 3
    assert "/" not in hidden


@given(st.binary(max_size=200))
def test_a_fit_name_fits_into_a_directory(name: bytes) -> None:
    text = fit(name)
    if text is not None:
        assert len(NAMES.hide(text, of="A")) + len(".held") <= 255
        assert not set(text) & set("/\\\0\n\r")


def test_only_what_is_without_a_gap_is_kept(box: Box) -> None:
    file = box.open("a", anew=True)
    file.write(0, HEAD + bytes(99))
    file.write(200, bytes(100))
    assert file.size == 300
    assert left(file) == 100
    again = box.open("a", anew=False)
    assert again.size == 100
    again.write(100, bytes(50))
    assert left(again) == 150


def test_a_file_is_begun_anew_where_that_is_asked(box: Box) -> None:
    file = box.open("a", anew=True)
    file.write(0, HEAD + bytes(99))
    left(file)
    assert left(box.open("a", anew=True)) == 0
    assert box.find("a") is None


def test_a_file_can_be_cut_and_never_grows_by_that(box: Box) -> None:
    file = box.open("a", anew=True)
    file.write(0, HEAD + bytes(99))
    file.shorten(1 << 60)
    assert file.size == 100
    file.shorten(10)
    assert left(file) == 10


ACTS: list[Callable[[Box], object]] = [
    lambda box: box.remove("a"),
    lambda box: box.rename("a", "b"),
    lambda box: box.rename("b", "a"),
    lambda box: box.open("a", anew=False),
]


@pytest.mark.parametrize("act", ACTS)
def test_one_writes_and_nobody_else_touches_it(box: Box, act: Callable[[Box], object]) -> None:
    other = box.open("b", anew=True)
    other.write(0, HEAD)
    left(other)
    file = box.open("a", anew=True)
    file.write(0, HEAD)
    with pytest.raises(Conflict):
        act(box)
    assert left(file) == 1
    assert {each.name for each in box.waiting()} == {"a", "b"}


def test_what_a_dead_process_left_is_forgotten(box: Box) -> None:
    """Its lock is gone with it; only its mark and its octets are there."""
    file = box.open("a", anew=True)
    file.write(0, HEAD + bytes(99))
    pid = os.fork()
    if pid == 0:  # pragma: no cover - the child dies with the file of another name open
        child = box.open("b", anew=True)
        child.write(0, HEAD + bytes(99))
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
    assert box.find("b") is None
    assert box.find("a") is not None
    assert left(file) == 100
    begun = box.open("b", anew=False)
    assert begun.size == 0
    begun.release(forget=True)


def test_there_is_an_end_to_files(box: Box) -> None:
    for number in range(MOST_FILES):
        file = box.open(f"{number}", anew=True)
        file.write(0, HEAD)
        left(file)
    with pytest.raises(TooMany):
        box.open("more", anew=True)


@pytest.mark.parametrize("data", [b"a,b\n", b"PK\x03\x04", b"-----BEGIN PGP SIGNATURE-----"])
def test_what_is_no_message_is_not_written(box: Box, data: bytes) -> None:
    file = box.open("a", anew=True)
    for offset in (0, 5):
        with pytest.raises(RequestRefused):
            file.write(offset, data)
    assert left(file) == 0


def test_armor_may_come_in_little_pieces(box: Box) -> None:
    file = box.open("a", anew=True)
    file.write(0, b"-----BEG")
    file.write(8, b"IN PGP MESSAGE-----\n")
    assert left(file) == 28


def test_what_waits_too_long_is_removed(tmp_path: Path) -> None:
    spool = Spool(tmp_path, NAMES, max_bytes=1000, quota=1000)
    file = spool.of("A").open("a", anew=True)
    file.write(0, HEAD)
    left(file)
    now = datetime.now(UTC)
    assert spool.remove_expired(now=now + timedelta(days=6)) == 0
    assert spool.remove_expired(now=now + timedelta(days=8)) == 1
    with pytest.raises(NotFound):
        spool.of("A").remove("a")
