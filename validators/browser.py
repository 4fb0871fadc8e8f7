"""What the page in a browser asks, and what it shows: the same check, told as JSON.

Owns the way between the page and `checking`: files as a browser hands them over, facts as a form
has them, answers that a script lays out without knowing the standard. Whatever goes wrong becomes a
sentence; a mistake of ours names its place and never its words, which may quote the data.

    ValidatorsError
    └── TooLargeHere        code "too-large-for-browser": the memory of a browser does not do
"""

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from traceback import extract_tb
from typing import Any, Protocol
from uuid import UUID

from validators.building import GivenFile
from validators.checking import Facts, check_files, check_package, is_package
from validators.errors import ValidatorsError
from validators.filenames import spoken
from validators.profile import FactsRefused, quarter, stand_in
from validators.report import Report
from validators.report.givenback import can_be_given_back, give_back
from validators.report.groups import Group
from validators.report.machine import render_json
from validators.report.outcome import standard_named
from validators.report.page import render_html
from validators.report.prose import remarks, sections
from validators.report.sheet import render_csv
from validators.rows import Rows
from validators.standard import load_standard
from validators.workbooks.reading import reader_died

TELL_EVERY = 200
"""Rows between two words on how far the check is."""

_LESS = (
    "Check one record type at a time, or install the command `gateway validate`, which checks "
    "offline, too, and has the whole computer's memory."
)

_OURS = "It is ours to mend: please report that line. Until then `gateway validate` may do better."

# Nothing was sent yet, and nobody should think so.
_TITLES = {
    "accepted": "The gateway would accept it",
    "accepted-in-part": "The gateway would accept a part of it",
    "rejected": "The gateway would reject it",
}

Tell = Callable[[int], object]


class TooLargeHere(ValidatorsError):
    """The files take more memory than a page is given."""

    code = "too-large-for-browser"
    mend = _LESS


class Octets(Protocol):
    """What a browser's array of octets is on this side."""

    def to_bytes(self) -> bytes:
        """Return a copy."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A check that came to its report."""

    files: Sequence[GivenFile]
    report: Report


class Desk:
    """The one check that a page has in hand; `gateway` is the address that publishes the rules."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self._checked: Checked | None = None

    def check(
        self, names: Sequence[str], contents: Sequence[Octets], asked: str, tell: Tell
    ) -> str:
        """Check files; return what is to be shown as JSON: a `report`, or what is `refused`.

        `asked` is JSON: `now` and `submission_id`; for files of records `period` and either
        `agency` or `profile`, the text of an agency.toml; and `died` where Python died of these
        files before. `tell` hears how many rows are done.
        """
        return json.dumps(_said(lambda: self._shown(names, contents, json.loads(asked), tell)))

    def made(self, form: str) -> tuple[str, bytes]:
        """Return the report of the last check as JSON like that of `check`, and as a file's bytes.

        `form` is json, html, csv or xlsx: the last is what was sent, with its faults marked.
        """
        file = b""

        def make() -> Mapping[str, Any]:
            nonlocal file
            file = self._file(form)
            return {"made": form}

        said = json.dumps(_said(make))
        return said, file

    def _shown(
        self,
        names: Sequence[str],
        contents: Sequence[Octets],
        asked: Mapping[str, str],
        tell: Tell,
    ) -> Mapping[str, Any]:
        self._checked = None
        files = [
            GivenFile(str(name), data.to_bytes())
            for name, data in zip(names, contents, strict=True)
        ]
        with reader_died() if "died" in asked else nullcontext():
            self._checked = Checked(files, _report(files, asked, tell))
        return {"report": shown(self._checked)}

    def _file(self, form: str) -> bytes:
        assert self._checked is not None, "the page asks for files of a report that it shows"
        files, report = self._checked.files, self._checked.report
        match form:
            case "json":
                return render_json(report).encode()
            case "html":
                return render_html(report, gateway=self._gateway).encode()
            case "csv":
                # The mark tells Excel that a CSV file is UTF-8.
                return render_csv(report, gateway=self._gateway).encode("utf-8-sig")
            case _:
                return give_back(files, report, gateway=self._gateway)


def shown(checked: Checked) -> dict[str, Any]:
    """Return what a page lays out of a report: sentences, counts and links."""
    report = checked.report
    return {
        "verdict": report.verdict,
        "title": _TITLES[report.verdict],
        "outcome": _outcome(report),
        "standard": report.standard,
        "files": [
            [spoken(file.name), file.rows, file.accepted, file.returned, file.warnings]
            for file in report.files
        ],
        "sections": [
            {"title": title, "groups": [_group(each, report) for each in groups]}
            for title, groups in sections(report)
        ],
        "remarks": remarks(report),
        "comes_back": can_be_given_back(checked.files),
    }


def _outcome(report: Report) -> str:
    rows = sum(file.rows for file in report.files)
    returned = sum(file.returned for file in report.files)
    if report.verdict == "rejected":
        return "Nothing of it would be accepted. Mend what is listed below, then check again."
    if report.verdict == "accepted":
        return f"Rows without an error: {rows:,} of {rows:,}. Nothing has to be mended."
    return (
        f"Rows without an error: {rows - returned:,} of {rows:,}. {returned:,} would come back: "
        "mend what is listed below, then check again."
    )


def _group(group: Group, report: Report) -> dict[str, Any]:
    first = group.first.to_dict()
    return {
        "place": group.place or "The submission",
        "times": len(group.findings),
        "message": group.message,
        "values": group.values,
        "mend": group.mend,
        "rule": first["rule"],
        "test": standard_named(report.standard).rules[first["rule"]].test,
        "link": first["link"],
    }


def _report(files: Sequence[GivenFile], asked: Mapping[str, str], tell: Tell) -> Report:
    now, rows = datetime.fromisoformat(asked["now"]), _telling(tell)
    if len(files) == 1 and is_package(files[0].name):
        return check_package(files[0].data, today=now.date(), make_rows=rows)
    facts = Facts(_profile(asked), quarter(asked["period"]), further={})
    identity = UUID(asked["submission_id"])
    return check_files(files, facts, now=now, submission_id=identity, make_rows=rows)


def _profile(asked: Mapping[str, str]) -> Mapping[str, Any]:
    if "profile" not in asked:
        return stand_in(asked["agency"], standard=load_standard())
    try:
        return tomllib.loads(asked["profile"])
    except tomllib.TOMLDecodeError as error:
        raise FactsRefused(f"The profile: {error}.", "Mend the file; it is TOML.") from error


def _telling(tell: Tell) -> type[Rows]:
    """Judges rows as ever, and tells how many it has judged."""
    done = 0

    class Telling(Rows):
        def _judge_row(self, *judged: Any) -> None:
            nonlocal done
            super()._judge_row(*judged)
            done += 1
            if done % TELL_EVERY == 0:
                tell(done)

    return Telling


def _said(make: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """What is made, or why nothing was."""
    try:
        return make()
    except MemoryError:
        return _refused(TooLargeHere("The files take more memory than this browser gives a page."))
    except ValidatorsError as refused:
        return _refused(refused)
    except Exception as error:  # noqa: BLE001 - the last one before a person: a sentence, no trace
        return {"refused": {"code": "internal", "message": _place(error), "mend": _OURS}}


def _refused(error: ValidatorsError) -> Mapping[str, Any]:
    mend = getattr(error, "mend", "")
    return {"refused": {"code": error.code, "message": _sentence(error), "mend": mend}}


def _sentence(error: ValidatorsError) -> str:
    text = str(getattr(error, "message", error))
    return text if text.endswith(".") else f"{text}."


def _place(error: Exception) -> str:
    place = extract_tb(error.__traceback__)[-1]
    name = place.filename.rpartition("/")[2]
    return f"This page made a mistake: {type(error).__name__} in {name}, line {place.lineno}."
