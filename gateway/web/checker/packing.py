"""Our own package `validators` as one archive: the same source gives the same octets anywhere.

Stored, not deflated: what deflating gives depends on the library that does it. By these octets a
gateway tells whether the page checks by the same code as itself.
"""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

ARCHIVE = "validators.zip"

_PACKAGE = "validators"
_LEFT_OUT = frozenset({"__pycache__"})


def pack_validators() -> bytes:
    """Return the installed package `validators` as a ZIP archive, in the order of its paths."""
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_STORED) as archive:
        for path, file in sorted(_files(files(_PACKAGE), _PACKAGE), key=lambda each: each[0]):
            archive.writestr(_entry(path), file.read_bytes())
    return packed.getvalue()


def _entry(path: str) -> ZipInfo:
    """An entry that tells nothing of the machine that wrote it."""
    entry = ZipInfo(path)  # dated 1980, as ZIP begins there
    entry.create_system = 3  # Unix: otherwise Windows would write its own number
    entry.external_attr = 0o644 << 16
    return entry


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for each in folder.iterdir():
        if each.name in _LEFT_OUT:
            continue
        here = f"{path}/{each.name}"
        if each.is_dir():
            yield from _files(each, here)
        else:
            yield here, each
