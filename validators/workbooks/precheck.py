"""A workbook before any reader sees it: what kind of file it is, and whether it may be inflated.

Owns the limits on a workbook as an archive (layout, sizes as declared and as inflated) and refuses
what has no place in a return: locks, macros, links to other files, document types in its XML, cells
that show an error.
A clause that is raised here is our own and repeats nothing of the file.

    WorkbookRefused      the workbook is not read; `detail` says why and what to do, for its sender
"""

import re
from typing import BinaryIO

from validators.refusal import PackageRefused
from validators.zipentry import open_entry
from validators.ziplayout import Entry, read_layout

MOST_PACKED_BYTES = 64 << 20
MOST_BYTES = 512 << 20
_MOST_ENTRIES = 1_000
_CHUNK = 1 << 20
_OLD_OR_LOCKED = b"\xd0\xcf\x11\xe0"
_MACROS = re.compile(r"(?i)(vbaProject|vbaData|macrosheets/|(^|/)(Basic|Scripts)/.)")
_LINKS = re.compile(r"(?i)(externalLinks/|connections\.xml|queryTables/)")
_NOT_UTF_8 = (b"\xff\xfe", b"\xfe\xff", b"\0")
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})""")
_LOCKED = b"encryption-data"
# A reader makes a blank of such a cell, as if nothing had been given.
_ERRORS = (b' t="e"', b" t='e'", b'calcext:value-type="error"')

_SAVE_AGAIN = "save it again as an ordinary workbook"
_SAID = {
    "zip-encrypted": "the workbook is protected by a password; save it without one",
    "zip-bomb": "the workbook inflates to more than a return can hold; send CSV files",
    "zip-too-many": f"the workbook has too many parts; {_SAVE_AGAIN}",
    "not-a-zip": f"the file is not a workbook; {_SAVE_AGAIN}",
}


class WorkbookRefused(Exception):
    """The workbook is not read; `detail` is a clause of our own."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def require_readable(workbook: BinaryIO) -> None:
    """Look at every part of a workbook; raises WorkbookRefused.

    `workbook` is seekable. Each part is inflated once, in chunks, and kept nowhere.
    """
    workbook.seek(0)
    if workbook.read(4) == _OLD_OR_LOCKED:
        raise WorkbookRefused(
            "the workbook is protected by a password or of an old kind; save it without a password "
            "as .xlsx or .ods"
        )
    try:
        layout = read_layout(workbook, most_entries=_MOST_ENTRIES)
        _require_parts(layout)
        for entry in layout:
            _require_plain(workbook, entry)
    except PackageRefused as refused:
        default = f"the workbook is damaged; {_SAVE_AGAIN}"
        raise WorkbookRefused(_SAID.get(refused.code, default)) from refused


def _require_parts(layout: tuple[Entry, ...]) -> None:
    names = [entry.raw_name.decode("latin-1") for entry in layout]
    if len(set(map(str.casefold, names))) < len(names):
        raise WorkbookRefused(f"the workbook has a part twice; {_SAVE_AGAIN}")
    if sum(entry.size for entry in layout) > MOST_BYTES:
        raise PackageRefused("zip-bomb")
    if any(map(_MACROS.search, names)):
        raise WorkbookRefused("the workbook holds macros; save it without them")
    if any(map(_LINKS.search, names)):
        raise WorkbookRefused("the workbook draws on other files; paste the values themselves")


def _require_plain(workbook: BinaryIO, entry: Entry) -> None:
    name = entry.raw_name
    is_xml = name.endswith((b".xml", b".rels"))
    holds_cells = name == b"content.xml" or name.startswith(b"xl/worksheets/")
    with open_entry(workbook, entry) as part:
        before = b""
        while chunk := part.read(_CHUNK):
            if is_xml:
                _require_plain_xml(before + chunk, is_start=not before)
            if name == b"META-INF/manifest.xml" and _LOCKED in before + chunk:
                raise PackageRefused("zip-encrypted")
            if holds_cells and any(mark in before + chunk for mark in _ERRORS):
                raise WorkbookRefused(
                    "a cell shows an error, such as #N/A or #REF!; put its value there, or clear it"
                )
            # A mark may lie across two chunks.
            before = chunk[-32:]


def _require_plain_xml(text: bytes, *, is_start: bool) -> None:
    if is_start:
        declared = _DECLARED.match(text.removeprefix(b"\xef\xbb\xbf"))
        other = declared is not None and declared[1].lower() not in (b"utf-8", b"us-ascii")
        # In another encoding what follows would be looked for in vain.
        if other or text.startswith(_NOT_UTF_8):
            raise WorkbookRefused(f"the workbook's XML is not UTF-8; {_SAVE_AGAIN}")
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise WorkbookRefused(f"the workbook's XML has a document type; {_SAVE_AGAIN}")
