"""A package made from an agency's own files or rows, ready to be encrypted.

Owns what a sender should not have to do by hand: counting, hashing, listing and having the manifest
signed over its canonical form (CTDS sections 2 and 3). It does not judge the data: `validators.run`
does, on the package that comes out. The same input, time and signature give the same bytes.

    ValidatorsError
    └── PackageNotBuilt      code "package-not-built": the folder holds what no package may
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from validators.errors import ValidatorsError
from validators.filenames import (
    MANIFEST_NAME,
    is_package_name,
    is_workbook,
    name_in_package,
    record_type_of,
)
from validators.manifest import canonical_manifest
from validators.readers import FileUnreadable, Table, read_tables
from validators.standard import RecordType, Standard, load_standard

Rows = Iterable[Mapping[str, object]]
Sign = Callable[[bytes], str]

_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".jsonl": "application/jsonl",
    ".xml": "application/xml",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".pdf": "application/pdf",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def unsigned(_canonical: bytes) -> str:
    """Stand where a signature will, in a package that is only checked."""
    return "-----BEGIN PGP SIGNATURE-----\n\nnone\n-----END PGP SIGNATURE-----\n"


class PackageNotBuilt(ValidatorsError):
    """The input cannot become a package; the message names the file, for it is the sender's own."""

    code = "package-not-built"
    mend = (
        "Give the files of one return: record files named after their record type, such as "
        "CASE.csv, ACTV.jsonl or EXPL.xml, or one workbook, saved as .xlsx or .ods without macros."
    )


@dataclass(frozen=True, slots=True)
class GivenFile:
    """A file of the sender's under the name that it has at home."""

    name: str
    data: bytes

    @classmethod
    def read(cls, path: Path) -> "GivenFile":
        """Return a file as it lies on a disk."""
        return cls(path.name, path.read_bytes())


@dataclass(frozen=True, slots=True)
class BuiltPackage:
    """The package and the manifest that lies in it."""

    data: bytes
    manifest: Mapping[str, Any]


def build_package(
    records: Path | Sequence[GivenFile] | Mapping[str, Rows],
    fields: Mapping[str, object],
    *,
    sign: Sign,
    now: datetime,
    submission_id: UUID,
) -> BuiltPackage:
    """Make a package of a folder, of files, or of rows by record type.

    `fields` are the keys of the manifest that only the agency knows: agency_id, agency_type,
    period_type, period_start, period_end, link_scheme, contact, sign_off, coverage, lawful_basis,
    and any other it wants to set. Identity, time, counts, files and signature are filled in.
    `sign` gets the canonical manifest and returns an ASCII-armored detached OpenPGP signature.
    Raises PackageNotBuilt, UnknownStandard, and ManifestRefused for fields without canonical form.
    """
    version = fields.get("standard_version")
    standard = load_standard(None if version is None else str(version))
    files = _files(records, standard)
    manifest = _unsigned(files, fields, now=now, submission_id=submission_id, standard=standard)
    manifest["signature"] = sign(canonical_manifest(manifest))
    text = json.dumps(manifest, ensure_ascii=False, indent=2).encode()
    return BuiltPackage(_zipped({MANIFEST_NAME: text, **files}, now), manifest)


def _files(
    records: Path | Sequence[GivenFile] | Mapping[str, Rows], standard: Standard
) -> dict[str, bytes]:
    if isinstance(records, Path):
        return _folder(records)
    if isinstance(records, Mapping):
        return _csv_files(records, standard)
    return _listed_files(records)


def _listed_files(given: Sequence[GivenFile]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for file in given:
        name = name_in_package(file.name)
        if name in files:
            raise PackageNotBuilt(f"{file.name} is given twice; put one record type into one file")
        if not is_package_name(name) or name == MANIFEST_NAME:
            raise PackageNotBuilt(f"{file.name} has no place in a package")
        files[name] = file.data
    return files


def _folder(folder: Path) -> dict[str, bytes]:
    files = {}
    for path in sorted(folder.rglob("*")):
        name = name_in_package(path.relative_to(folder).as_posix())
        if path.is_dir() or name == MANIFEST_NAME:
            continue
        if not is_package_name(name) or path.is_symlink():
            raise PackageNotBuilt(f"{name} has no place in a package")
        files[name] = path.read_bytes()
    return files


def _csv_files(records: Mapping[str, Rows], standard: Standard) -> dict[str, bytes]:
    return {f"{kind}.csv": _csv(standard.records[kind], rows) for kind, rows in records.items()}


def _csv(record_type: RecordType, rows: Rows) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, record_type.header, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return ";".join(map(str, value)) if isinstance(value, list | tuple) else value


def _unsigned(
    files: Mapping[str, bytes],
    fields: Mapping[str, object],
    *,
    now: datetime,
    submission_id: UUID,
    standard: Standard,
) -> dict[str, Any]:
    listed = []
    counts = dict.fromkeys(standard.records, 0)
    for name, data in sorted(files.items()):
        counted = _count_rows(name, data, standard)
        listed.append(_listed(name, data, counted))
        counts |= counted
    return {
        "standard": standard.name,
        "standard_version": standard.version,
        "submission_id": str(submission_id),
        "submission_type": "RETURN",
        "created_at": now.isoformat(timespec="seconds"),
        "nil_return": not any(counts.values()),
        "record_counts": counts,
        "files": listed,
        **fields,
    }


def _listed(name: str, data: bytes, counted: Mapping[str, int]) -> dict[str, Any]:
    ending = Path(name).suffix.lower()
    if ending not in _MEDIA_TYPES:
        raise PackageNotBuilt(f"{name} is of a type that no package may hold")
    listed: dict[str, Any] = {
        "name": name,
        "media_type": _MEDIA_TYPES[ending],
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
    }
    record_type = record_type_of(name)
    if record_type is not None:
        listed |= {"record_type": record_type, "rows": counted[record_type]}
    return listed


def _count_rows(name: str, data: bytes, standard: Standard) -> dict[str, int]:
    """Count as the gateway will; what it could not read to its end counts what it could."""
    counted: dict[str, int] = {}
    if not (record_type_of(name) or is_workbook(name)):
        return counted
    with suppress(FileUnreadable):
        for table in read_tables(io.BytesIO(data), name=name, standard=standard):
            counted[table.record_type] = _length(table)
    return counted


def _length(table: Table) -> int:
    length = 0
    with suppress(FileUnreadable):
        for _ in table.rows:
            length += 1
    return length


def _zipped(files: Mapping[str, bytes], now: datetime) -> bytes:
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = ZipInfo(name, date_time=now.timetuple()[:6])
            entry.compress_type = ZIP_DEFLATED
            archive.writestr(entry, data)
    return packed.getvalue()
