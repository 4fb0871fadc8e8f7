"""CT-100: what a narrative names as its attachment is there, unaltered and harmless to open.

Looks at the first bytes and, in documents that are ZIP archives, at the names inside. It does not
render anything and finds no malware; it keeps out what nobody could check: locks and macros.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from validators.package import Package
from validators.refusal import PackageRefused
from validators.ziplayout import read_layout

MOST_BYTES = 20_000_000
_FOLDER = "attachments/"
_MOST_ENTRIES = 2_000
_LOCKED_PDF = re.compile(rb"/Encrypt\b")
_MACROS = re.compile(r"(?i)(^|/)(vbaProject\.bin|vbaData\.xml|Basic/|Scripts/|macros/)")
_LOCKED_ODT = b"encryption-data"
_MOST_MANIFEST_BYTES = 1 << 20


def attachment_fits(package: Package, record: Mapping[str, object]) -> bool:
    """Tell whether the attachment that a NARR record names may be taken."""
    name = f"{_FOLDER}{record['attachment_name']}"
    if name not in package.names or package.sizes[name] > MOST_BYTES:
        return False
    with package.open(name) as stream:
        data = stream.read(MOST_BYTES + 1)
    if hashlib.sha256(data).hexdigest() != record["attachment_sha256"]:
        return False
    fits = _FITS.get(str(record["attachment_media_type"]))
    return fits is not None and fits(data)


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
