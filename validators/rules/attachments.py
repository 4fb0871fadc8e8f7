"""CT-100: what a narrative names as its attachment is there, unaltered and harmless to open.

Looks at the first bytes and, in documents that are ZIP archives, at the names inside; it does not
render anything, and keeps out what nobody could check: locks and macros. Malware is looked for by
whoever has a scanner, which is given to it (`Scan`).
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from validators.filenames import ATTACHMENTS
from validators.package import Package
from validators.refusal import PackageRefused
from validators.ziplayout import read_layout

MOST_BYTES = 20_000_000
_MOST_ENTRIES = 2_000
_LOCKED_PDF = re.compile(rb"/Encrypt\b")
_MACROS = re.compile(r"(?i)(^|/)(vbaProject\.bin|vbaData\.xml|Basic/|Scripts/|macros/)")
_LOCKED_ODT = b"encryption-data"
_MOST_MANIFEST_BYTES = 1 << 20


Scan = Callable[[bytes], bool]
"""Whether malware is found in a document."""


def unscanned(_document: bytes) -> bool:
    """Find nothing, where there is no scanner: on the sender's own machine."""
    return False


def attachment_name(record: Mapping[str, object]) -> str:
    """The name in the package of what a NARR record names as its attachment."""
    return f"{ATTACHMENTS}{record['attachment_name']}"


def attachment_fault(package: Package, record: Mapping[str, object], *, scan: Scan) -> str | None:
    """Say why the attachment that a NARR record names may not be taken; None if it may."""
    name = attachment_name(record)
    if name not in package.names:
        return "the package has no such file"
    if package.sizes[name] > MOST_BYTES:
        return f"the file is larger than {MOST_BYTES // 1_000_000} MB"
    with package.open(name) as stream:
        data = stream.read(MOST_BYTES + 1)
    if hashlib.sha256(data).hexdigest() != record["attachment_sha256"]:
        return "the checksum in this row is that of another file"
    fits = _FITS.get(str(record["attachment_media_type"]))
    if fits is None or not fits(data):
        return "the file is not of the type in this row, or is damaged, locked or holds macros"
    return "malware was found in the file" if scan(data) else None


def _is_pdf(data: bytes) -> bool:
    return data.startswith(b"%PDF-") and not _LOCKED_PDF.search(data)


def _is_text(data: bytes) -> bool:
    try:
        return "\0" not in data.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _is_word(data: bytes) -> bool:
    return "word/document.xml" in _names_inside(data)


def _is_odt(data: bytes) -> bool:
    if not {"mimetype", "content.xml", "META-INF/manifest.xml"} <= _names_inside(data):
        return False
    try:
        with ZipFile(BytesIO(data)) as archive, archive.open("META-INF/manifest.xml") as stream:
            return _LOCKED_ODT not in stream.read(_MOST_MANIFEST_BYTES)
    except (BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError):
        return False


def _names_inside(data: bytes) -> frozenset[str]:
    """The names in an archive; none where it is locked, malformed or holds macros."""
    try:
        layout = read_layout(BytesIO(data), most_entries=_MOST_ENTRIES)
    except PackageRefused:
        return frozenset()
    names = frozenset(entry.raw_name.decode("latin-1") for entry in layout)
    return frozenset() if any(map(_MACROS.search, names)) else names


_FITS: Mapping[str, Callable[[bytes], bool]] = {
    "application/pdf": _is_pdf,
    "text/plain": _is_text,
    "text/markdown": _is_text,
    "application/vnd.oasis.opendocument.text": _is_odt,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": _is_word,
}
