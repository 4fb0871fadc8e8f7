"""Hostile ZIP archives, each with the refusal it must meet, and honest ones that must pass."""

import io
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.validators.zips import SYMLINK, Archive, Part, deflate, zipped
from validators.package import Limits, PackageRefused, open_package, record_type_of
from validators.refusal import REASONS

MANIFEST = Part(b"manifest.json", b"{}")
CASE = Part(b"CASE.csv", b"record_id\r\n" * 20)
SMALL = Limits(
    entry_bytes=1 << 20, total_bytes=2 << 20, ratio_from_bytes=1 << 10, manifest_bytes=64
)


def made(*parts: Part, **lies: object) -> bytes:
    return Archive(list(parts), **lies).build()  # type: ignore[arg-type]


def quine_like() -> bytes:
    inner = zipped({"manifest.json": b"{}"})
    return made(MANIFEST, Part(b"attachments/a.pdf", inner, method=0))


def overlapping() -> bytes:
    # Every directory entry points at the one body: 42 kB that inflate to terabytes.
    return made(
        MANIFEST, CASE, *(Part(f"attachments/{n}".encode(), CASE.data, offset=0) for n in range(9))
    )


def with_descriptor(signature: bytes, part: Part, wrong: int = 0) -> bytes:
    sizes = struct.pack("<3L", part.crc, len(part.packed or b""), (part.size or 0) + wrong)
    streamed = Part(part.name, part.data, flags=8, descriptor=signature + sizes)
    return made(MANIFEST, streamed)


HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "nothing": ("not-a-zip", lambda: b""),
    "plain text": ("not-a-zip", lambda: b"CASE.csv\r\n" * 100),
    "a PDF": ("not-a-zip", lambda: b"%PDF-1.7" + bytes(500)),
    "only the start": ("zip-malformed", lambda: zipped({"manifest.json": b"{}"})[:40]),
    "cut in the directory": ("zip-malformed", lambda: zipped({"manifest.json": b"{}"})[:-30]),
    "data before": ("zip-malformed", lambda: made(MANIFEST, before=b"MZ" + bytes(50))),
    "data after": ("zip-malformed", lambda: made(MANIFEST, after=b"more")),
    "a second archive after": (
        "zip-malformed",
        lambda: zipped({"manifest.json": b"{}"}) + zipped({"manifest.json": b"[]"}),
    ),
    "data between": ("zip-malformed", lambda: made(MANIFEST, between=b"hidden")),
    "an archive comment": ("zip-malformed", lambda: made(MANIFEST, comment=b"note")),
    "a split archive": ("zip-malformed", lambda: made(MANIFEST, disk=1)),
    "fewer counted": ("zip-malformed", lambda: made(MANIFEST, CASE, count=1)),
    "more counted": ("zip-malformed", lambda: made(MANIFEST, count=2)),
    "1,000,000 entries": ("zip-too-many", lambda: made(MANIFEST, count=0xFFFF)),
    "201 entries": (
        "zip-too-many",
        lambda: zipped({f"attachments/{n}": b"" for n in range(201)}),
    ),
    "under a password": ("zip-encrypted", lambda: made(MANIFEST, Part(b"CASE.csv", b"x", flags=1))),
    "strong encryption": ("zip-encrypted", lambda: made(Part(b"CASE.csv", b"x", flags=0x41))),
    "masked headers": ("zip-encrypted", lambda: made(Part(b"CASE.csv", b"x", flags=0x2000))),
    "AES": ("zip-encrypted", lambda: made(Part(b"CASE.csv", b"x", method=99))),
    "LZMA": ("zip-method", lambda: made(Part(b"CASE.csv", b"x", method=14))),
    "Deflate64": ("zip-method", lambda: made(Part(b"CASE.csv", b"x", method=9))),
    "a symlink": ("zip-symlink", lambda: made(Part(b"CASE.csv", b"/etc/shadow", mode=SYMLINK))),
    "a device": ("zip-path", lambda: made(Part(b"CASE.csv", b"", mode=0o020666))),
    "one name twice": ("zip-duplicate", lambda: made(MANIFEST, MANIFEST)),
    "one type twice": ("zip-duplicate", lambda: made(CASE, Part(b"CASE.jsonl", b"{}"))),
    "names that differ in case": (
        "zip-duplicate",
        lambda: zipped({"attachments/A.pdf": b"", "attachments/a.pdf": b""}),
    ),
    "an archive by name": ("zip-nested", lambda: zipped({"attachments/42.ZIP": b"x"})),
    "an archive by content": ("zip-nested", quine_like),
    "local name differs": (
        "zip-malformed",
        lambda: made(Part(b"CASE.csv", local_name=b"EXPL.csv")),
    ),
    "local size differs": ("zip-malformed", lambda: made(Part(b"CASE.csv", b"x", local_size=2))),
    "overlapping entries": ("zip-malformed", overlapping),
    "a bomb by ratio": ("zip-bomb", lambda: made(Part(b"CASE.csv", bytes(900_000)))),
    "a large entry": ("zip-bomb", lambda: made(Part(b"CASE.csv", size=2 << 20))),
    "a manifest of 1 GB": ("zip-bomb", lambda: made(Part(b"manifest.json", b"{" * 65, method=0))),
    "large in all": (
        "zip-bomb",
        lambda: made(
            *(Part(n, bytes(1 << 20), method=0) for n in (b"CASE.csv", b"EXPL.csv", b"DECN.csv"))
        ),
    ),
    "a size beyond 4 GiB": ("zip-malformed", lambda: made(Part(b"CASE.csv", size=0xFFFFFFFF))),
    "a wrong descriptor": ("zip-malformed", lambda: with_descriptor(b"PK\x07\x08", CASE, wrong=1)),
    "stored with two sizes": ("zip-malformed", lambda: made(Part(b"CASE.csv", b"x", 0, size=2))),
}
BAD_NAMES = (
    *(b"../../x", b"/etc/x", b"C:\\x", b"a\0b", b"CASE.csv\0.txt", b"CASE.csv\n", b"CASE.csv/"),
    *(b"case.csv", b"CASE.xlsx", b"README.txt", b"__MACOSX/._CASE.csv", b"", b"attachments\\a"),
    *(b"attachments/../CASE.csv", b"attachments/..", b"attachments/a/b", b"attachments/"),
    *(
        b"attachments/" + b"a" * 101,
        b"attachments/caf\xc3\xa9.pdf",
        b"attachments/cafe\xcc\x81.pdf",
    ),
)


UNREADABLE: dict[str, tuple[str, bytes]] = {
    "a wrong checksum": ("zip-malformed", made(Part(b"CASE.csv", b"x" * 100, crc=1))),
    "more than declared": (
        "zip-bomb",
        made(Part(b"CASE.csv", packed=deflate(bytes(100_000)), size=10, crc=0)),
    ),
    "less than declared": (
        "zip-malformed",
        made(Part(b"CASE.csv", b"x" * 90, packed=deflate(b"x" * 89))),
    ),
    "no deflate data": (
        "zip-malformed",
        made(Part(b"CASE.csv", packed=b"\xff" * 9, size=9, crc=0)),
    ),
    "deflate cut short": (
        "zip-malformed",
        made(Part(b"CASE.csv", b"abc" * 99, packed=deflate(b"abc" * 99)[:-3])),
    ),
    "data after the deflate end": (
        "zip-malformed",
        made(Part(b"CASE.csv", b"abc", packed=deflate(b"abc") + b"hidden")),
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_archive_is_refused_before_it_is_read(case: str) -> None:
    code, build = HOSTILE[case]
    with pytest.raises(PackageRefused) as refused:
        open_package(io.BytesIO(build()), limits=SMALL)
    assert refused.value.code == code
    assert refused.value.mend == REASONS[code][1]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_name_outside_the_fixed_set_is_refused(name: bytes) -> None:
    with pytest.raises(PackageRefused) as refused:
        open_package(io.BytesIO(made(MANIFEST, Part(name, b"x"))))
    assert refused.value.code == "zip-path"


@pytest.mark.parametrize("case", UNREADABLE)
def test_entry_unlike_its_declaration_is_refused_at_the_latest_while_reading(case: str) -> None:
    code, data = UNREADABLE[case]
    with pytest.raises(PackageRefused) as refused:
        open_package(io.BytesIO(data)).open("CASE.csv").read()
    assert refused.value.code == code


def test_refusal_does_not_repeat_the_name_of_an_entry() -> None:
    with pytest.raises(PackageRefused) as refused:
        open_package(io.BytesIO(made(MANIFEST, Part(b"Jane Example.csv"))))
    assert "Jane" not in f"{refused.value.message}{refused.value.mend}{refused.value.detail}"
    assert "entry 2" in refused.value.message


@pytest.mark.parametrize("signature", [b"PK\x07\x08", b""])
def test_entry_with_a_descriptor_is_read(signature: bytes) -> None:
    package = open_package(io.BytesIO(with_descriptor(signature, CASE)))
    assert package.open("CASE.csv").read() == CASE.data


def test_package_of_an_ordinary_tool_is_read() -> None:
    made_by_tool = io.BytesIO()
    files = {"manifest.json": b"{}", "CASE.csv": b"a,b\r\n" * 9000, "attachments/note.pdf": b"%PDF"}
    with zipfile.ZipFile(made_by_tool, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("attachments")
        for name, data in files.items():
            archive.writestr(name, data)
    package = open_package(made_by_tool)
    assert {name: package.open(name).read() for name in package.names} == files
    assert package.attachments == ("attachments/note.pdf",)


def test_archive_written_to_a_pipe_is_read() -> None:
    script = (
        "import sys, zipfile\n"
        "with zipfile.ZipFile(sys.stdout.buffer, 'w', 8) as z: z.writestr('manifest.json', '{}')"
    )
    piped = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    assert open_package(io.BytesIO(piped)).open("manifest.json").read() == b"{}"


def test_documents_that_are_archives_inside_may_be_attached() -> None:
    document = zipped({"manifest.json": b""})
    assert open_package(io.BytesIO(zipped({"attachments/a.docx": document}))).names


def test_reading_in_small_pieces_gives_the_whole() -> None:
    data = zlib.compress(bytes(range(256)) * 4000)
    stream = open_package(io.BytesIO(zipped({"CASE.csv": data}))).open("CASE.csv")
    assert b"".join(iter(lambda: stream.read(7), b"")) == data


def test_record_type_is_the_stem_of_a_record_file() -> None:
    assert record_type_of("CASE.csv") == record_type_of("CASE.jsonl") == "CASE"
    assert record_type_of("manifest.json") is record_type_of("attachments/CASE.csv") is None


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(PackageRefused):
        open_package(io.BytesIO(data))


WHOLE = zipped({"manifest.json": b'{"a": 1}', "CASE.csv": b"record_id,a\r\n" * 9})


@given(at=st.integers(0, len(WHOLE) - 1), value=st.integers(0, 255), cut=st.integers(0, len(WHOLE)))
def test_damage_is_refused_or_without_effect(at: int, value: int, cut: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[at] = value
    for data in (bytes(damaged), WHOLE[:cut]):
        try:
            package = open_package(io.BytesIO(data))
            contents = [package.open(name).read() for name in package.names]
        except PackageRefused:
            continue
        assert contents == [b'{"a": 1}', b"record_id,a\r\n" * 9]
