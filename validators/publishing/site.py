"""A version of the standard as files: path to bytes, the same on every machine and at every time.

Owns what is published and where. Neither writes nor serves: that is for whoever asks.

    index.html                       the versions
    1.0/index.html, rules.html, …    pages for people
    1.0/records/, codelists/         a page for each record type and list; lists as CSV and JSON too
    1.0/schemas/                     JSON Schema of each record type and of the manifest
    1.0/csv-metadata.json            CSV on the Web
    1.0/mappings.csv                 to other standards, field by field
    1.0/example/                     an invented return, a CSV file for each record type
    1.0/standard.json, STANDARD.md   the definition itself, as it is carried, and what goes with it
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from validators.definitions import Standard
from validators.publishing.csvw import csv_metadata
from validators.publishing.lists import described
from validators.publishing.manifestform import manifest_schema
from validators.publishing.mappings import FILE_NAME as MAPPINGS
from validators.publishing.mappings import read_mappings
from validators.publishing.pages import Pages, Texts, render_versions
from validators.publishing.recordschema import record_schema
from validators.standard import data_folder, load_standards

STYLE_SHEET = "standard.css"
AS_CARRIED = (
    "standard.json",
    "STANDARD.md",
    "CHANGELOG.md",
    "mends.json",
    "redacted.json",
    MAPPINGS,
)
"""Files of the standard's folder that are published byte for byte; so are the lists."""


@cache
def published() -> Mapping[str, bytes]:
    """Return every file of every version, by its path below the root of the standard."""
    standards = list(load_standards().values())[::-1]
    found = {"index.html": render_versions(standards).encode()}
    for standard in standards:
        for path, data in publish(standard, data_folder(standard)).items():
            found[f"{standard.version}/{path}"] = data
    return MappingProxyType(found)


def publish(standard: Standard, folder: Traversable) -> Mapping[str, bytes]:
    """Return the files of one version, by their path in its folder."""
    found = {name: (folder / name).read_bytes() for name in AS_CARRIED}
    for name in standard.codelists:
        found[f"codelists/{name}.csv"] = (folder / "codelists" / f"{name}.csv").read_bytes()
    for kind in standard.records:
        found[f"example/{kind}.csv"] = (folder / "example" / f"{kind}.csv").read_bytes()
    style = files("validators.publishing") / "templates" / STYLE_SHEET
    found[STYLE_SHEET] = style.read_bytes()
    found |= {path: _json(document) for path, document in _documents(standard)}
    found |= {path: page.encode() for path, page in Pages(standard, _texts(folder)).render()}
    return found


def _documents(standard: Standard) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for record in standard.records.values():
        yield f"schemas/{record.code}.schema.json", record_schema(record, standard)
    yield "schemas/manifest.schema.json", manifest_schema(standard)
    yield "csv-metadata.json", csv_metadata(standard)
    for codelist in standard.codelists.values():
        yield f"codelists/{codelist.code}.json", described(codelist, standard)


def _texts(folder: Traversable) -> Texts:
    return Texts(
        standard=(folder / "STANDARD.md").read_text(encoding="utf-8"),
        changelog=(folder / "CHANGELOG.md").read_text(encoding="utf-8"),
        mappings=read_mappings(folder),
    )


def _json(document: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n".encode()
