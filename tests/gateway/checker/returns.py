"""Returns of every format: good, bad and hostile, as the tests of the readers have them."""

import csv
import json
from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any

from tests.validators import books, samples, test_package, test_readers, test_workbooks, test_xml
from validators.standard import load_standard

Files = Mapping[str, bytes]
STANDARD = load_standard()


FAR = {
    "a cell at the far corner",
    "a cell in a far column of a far row",
    "ODS with 100 million repeated cells",
    "ODS with a million full rows",
}
"""Workbooks that cost memory: which of two clauses they get depends on how much there is."""


def spoiled(count: int = 4) -> dict[str, list[dict[str, Any]]]:
    """Invented children, and a few mistakes: a code, a date, a row twice, markup in a text."""
    children = samples.children(count)
    children["CASE"][0]["sex"] = "Q"
    children["CASE"][1]["nationality_1"] = "<img src=x onerror=document.title='taken'>"
    children["CASE"].append(dict(children["CASE"][2]))
    children["EXPL"][0]["situation_no"] = "=1+1"
    return children


def as_files(records: Mapping[str, list[dict[str, Any]]], ending: str) -> dict[str, bytes]:
    """Records in a format: a file for each type, or one workbook."""
    if ending in ("xlsx", "ods"):
        sheets = {kind: _rows(kind, rows) for kind, rows in records.items()}
        return {f"Quarter 1.{ending}": getattr(books, ending)(sheets)}
    make = {"csv": _csv, "jsonl": _jsonl, "xml": _xml}[ending]
    return {f"{kind}.{ending}": make(kind, rows) for kind, rows in records.items()}


def returns() -> dict[str, Files]:
    """A good return and one with mistakes in every format."""
    return {
        f"{ending}, {kind}": as_files(records, ending)
        for ending in ("csv", "jsonl", "xml", "xlsx", "ods")
        for kind, records in (("good", samples.children(3)), ("with mistakes", spoiled()))
    }


def hostile() -> dict[str, Callable[[], Files]]:
    """Every hostile file of the readers' own tests, under the name that it would be chosen by."""
    cases: dict[str, Callable[[], Files]] = {}
    for name, (data, *_) in test_readers.FAULTY_CSV.items():
        cases[f"CSV: {name}"] = _just("DECN.csv", data)
    lines = "\n".join(line for line, _ in test_readers.FAULTY_JSON.values())
    cases["JSON Lines: every faulty line"] = _just("DECN.jsonl", lines.encode())
    for name, (data, *_) in test_xml.FAULTY.items():
        cases[f"XML: {name}"] = _just("DECN.xml", data)
    for name, (_, build) in test_workbooks.HOSTILE.items():
        if name in FAR:
            continue
        file = "mine.ods" if name.startswith("ODS") else "mine.xlsx"
        cases[f"workbook: {name}"] = _built(file, build)
    for name, (_, build) in test_package.HOSTILE.items():
        cases[f"package: {name}"] = _built("return.zip", build)
    return cases


def far(name: str) -> bytes:
    """A workbook that no memory suffices for."""
    return test_workbooks.HOSTILE[name][1]()


def _just(name: str, data: bytes) -> Callable[[], Files]:
    return lambda: {name: data}


def _built(name: str, build: Callable[[], bytes]) -> Callable[[], Files]:
    return lambda: {name: build()}


def _rows(kind: str, rows: list[dict[str, Any]]) -> list[list[str]]:
    header = list(STANDARD.records[kind].header)
    return [header, *([_cell(row.get(name, "")) for name in header] for row in rows)]


def _cell(value: Any) -> str:
    return ";".join(value) if isinstance(value, list) else str(value)


def _csv(kind: str, rows: list[dict[str, Any]]) -> bytes:
    text = StringIO(newline="")
    csv.writer(text).writerows(_rows(kind, rows))
    return text.getvalue().encode()


def _jsonl(kind: str, rows: list[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def _xml(kind: str, rows: list[dict[str, Any]]) -> bytes:
    escaped = [
        {n: _cell(v).replace("&", "&amp;").replace("<", "&lt;") for n, v in r.items()} for r in rows
    ]
    return test_xml.written(kind, escaped)  # type: ignore[arg-type]
