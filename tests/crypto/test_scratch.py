"""Scratch: what was written is read, nothing is legible on the disk, and tampering is noticed."""

import io
import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.scratch import PAGE, Scratch, ScratchDamaged

CANARY = b"CHILD-7781 was seen in the house on Mill Lane. "


def written(
    data: bytes, *, memory: int, piece: int = 50_000, folder: Path | None = None
) -> Scratch:
    scratch = Scratch(memory=memory, folder=folder)
    for start in range(0, len(data), piece):
        scratch.write(data[start : start + piece])
    return scratch.rewind()


def exactly(scratch: Scratch, count: int) -> bytes:
    """A raw file may answer with less than was asked for; this asks again."""
    found = b""
    while piece := scratch.read(count - len(found)):
        found += piece
    return found


@given(
    seed=st.integers(0, 1 << 32),
    size=st.integers(0, 4 * PAGE + 3),
    memory=st.sampled_from([0, 1, PAGE, 10 * PAGE]),
    piece=st.sampled_from([1 << 20, PAGE, PAGE - 1, 4099]),
)
def test_what_was_written_is_read_from_anywhere(
    seed: int, size: int, memory: int, piece: int
) -> None:
    random = Random(seed)
    data = random.randbytes(size)
    with written(data, memory=memory, piece=piece) as scratch:
        assert scratch.size == size
        assert scratch.readall() == data
        for _ in range(10):
            start, count = random.randint(0, size + 5), random.randint(0, 2 * PAGE)
            assert scratch.seek(start) == start
            assert exactly(scratch, count) == data[start : start + count]


def test_it_is_read_as_a_file() -> None:
    data = os.urandom(3 * PAGE + 17)
    reader = io.BufferedReader(written(data, memory=0))
    assert reader.read(10) == data[:10]
    assert reader.seek(-17, io.SEEK_END) == 3 * PAGE
    assert reader.read() == data[-17:]
    assert reader.seek(5) == 5
    assert reader.seek(PAGE, io.SEEK_CUR) == PAGE + 5
    assert reader.read(PAGE) == data[PAGE + 5 : 2 * PAGE + 5]
    with pytest.raises(ValueError, match="before the start"):
        reader.raw.seek(-1)


def test_memory_holds_what_fits_and_no_file_is_made(tmp_path: Path) -> None:
    with written(CANARY * 10, memory=len(CANARY) * 10, folder=tmp_path / "missing") as scratch:
        assert scratch.in_memory == CANARY * 10


def backing(scratch: Scratch) -> int:
    """The descriptor of the file under a scratch."""
    assert scratch._file is not None
    return scratch._file.fileno()


def test_the_file_has_no_name_and_holds_no_plaintext(tmp_path: Path) -> None:
    with written(CANARY * 5000, memory=0, folder=tmp_path) as scratch:
        assert scratch.in_memory is None
        assert list(tmp_path.iterdir()) == []
        kept = os.pread(backing(scratch), 1 << 20, 0)
        assert len(kept) > len(CANARY) * 5000
        assert CANARY[:8] not in kept
        assert scratch.read(len(CANARY)) == CANARY


def test_the_same_plaintext_twice_looks_different(tmp_path: Path) -> None:
    one, other = (written(CANARY * 5000, memory=0) for _ in range(2))
    assert os.pread(backing(one), 64, 0) != os.pread(backing(other), 64, 0)
    page = bytes(PAGE)
    with written(page * 2, memory=0) as scratch:
        kept = os.pread(backing(scratch), 1 << 20, 0)
        assert kept[:64] != kept[PAGE + 16 : PAGE + 80]


@pytest.mark.parametrize("at", [0, PAGE - 1, PAGE + 15, PAGE + 16, 2 * (PAGE + 16) + 3])
def test_a_changed_octet_is_noticed_before_its_page_is_handed_out(at: int) -> None:
    with written(CANARY * 4000, memory=0) as scratch:
        descriptor = backing(scratch)
        octet = os.pread(descriptor, 1, at)[0]
        os.pwrite(descriptor, bytes([octet ^ 1]), at)
        scratch.seek(at // (PAGE + 16) * PAGE)
        with pytest.raises(ScratchDamaged):
            scratch.read(1)


def test_pages_that_change_places_are_noticed() -> None:
    with written(CANARY * 4000, memory=0) as scratch:
        descriptor, sealed = backing(scratch), PAGE + 16
        first, second = os.pread(descriptor, sealed, 0), os.pread(descriptor, sealed, sealed)
        os.pwrite(descriptor, second + first, 0)
        with pytest.raises(ScratchDamaged):
            scratch.read(1)


def test_a_file_cut_short_is_noticed() -> None:
    with written(CANARY * 4000, memory=0) as scratch:
        os.ftruncate(backing(scratch), PAGE + 16)
        assert len(scratch.read(PAGE)) == PAGE
        with pytest.raises(ScratchDamaged):
            scratch.read(PAGE)


def test_writing_comes_first_and_reading_afterwards() -> None:
    scratch = Scratch()
    scratch.write(b"x")
    with pytest.raises(io.UnsupportedOperation):
        scratch.read(1)
    scratch.rewind()
    with pytest.raises(io.UnsupportedOperation):
        scratch.write(b"y")


def test_closing_gives_everything_up() -> None:
    scratch = written(CANARY * 5000, memory=0)
    descriptor = backing(scratch)
    scratch.close()
    scratch.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    with pytest.raises(ValueError, match="closed"):
        scratch.read(1)
