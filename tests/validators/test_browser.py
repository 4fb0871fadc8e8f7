"""What the page in a browser asks, asked here: every answer is JSON, and none is a trace."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.validators import books, samples
from tests.validators.test_checking import records
from validators import browser
from validators.browser import TELL_EVERY, Desk
from validators.standard import load_standard

STANDARD = load_standard()
ASKED = {
    "now": "2026-04-09T10:30:00.000Z",
    "submission_id": "3ffa68b6-16e9-4409-8939-aebecfaee7d3",
    "period": "2026Q1",
    "agency": samples.AGENCY_ID,
}
GATEWAY = "https://gateway.example.org"


@dataclass(frozen=True)
class Given:
    """A file as a browser hands it over."""

    name: str
    data: bytes

    def to_bytes(self) -> bytes:
        return self.data


def check(desk: Desk, *files: Given, told: list[int] | None = None, **asked: str) -> dict[str, Any]:
    tell = ([] if told is None else told).append
    names = [file.name for file in files]
    answer: dict[str, Any] = json.loads(desk.check(names, files, json.dumps(ASKED | asked), tell))
    return answer


def given() -> list[Given]:
    return [Given(file.name, file.data) for file in records()]


def test_a_report_is_told_with_places_mends_and_links() -> None:
    report = check(Desk(GATEWAY), *given())["report"]
    assert report["verdict"] == "accepted-in-part"
    assert report["comes_back"] is True
    [section] = report["sections"]
    group, *what_goes_with_it = section["groups"]
    assert [each["rule"] for each in what_goes_with_it] == ["CT-026", "CT-026"]
    assert group["place"] == "CASE.csv, column sex, row 2"
    assert group["link"] == "/standard/1.0/rules#CT-016"
    assert group["test"] == STANDARD.rules["CT-016"].test


@pytest.mark.parametrize("form", ["json", "html", "csv", "xlsx"])
def test_the_report_can_be_had_as_a_file(form: str) -> None:
    desk = Desk(GATEWAY)
    check(desk, *given())
    said, file = desk.made(form)
    assert json.loads(said) == {"made": form}
    start = {"json": b"{", "html": b"<!doctype", "csv": b"\xef\xbb\xbfseverity", "xlsx": b"PK"}
    assert file.startswith(start[form])


def test_what_cannot_come_back_is_said_so() -> None:
    desk = Desk(GATEWAY)
    check(desk, Given("DECN.jsonl", b"{}"))
    said, file = desk.made("xlsx")
    assert json.loads(said)["refused"]["code"] == "not-given-back"
    assert file == b""


@pytest.mark.parametrize(
    ("files", "asked", "code"),
    [
        ([Given("return.zip", b"x")], {}, "not-a-zip"),
        ([Given("letter.pdf", b"x"), Given("CASE.csv", b"")], {}, "package-not-built"),
        ([Given("CASE.csv", b"")], {"period": "spring"}, "facts-refused"),
        ([Given("CASE.csv", b"")], {"agency": "LA-NOWHERE"}, "facts-refused"),
        ([Given("CASE.csv", b"")], {"profile": "agency_id = "}, "facts-refused"),
        ([Given("CASE.csv", b"")], {"now": "yesterday"}, "internal"),
    ],
)
def test_what_is_not_checked_is_said_in_sentences(
    files: list[Given], asked: dict[str, str], code: str
) -> None:
    refused = check(Desk(GATEWAY), *files, **asked)["refused"]
    assert refused["code"] == code
    assert refused["message"].endswith(".")
    assert refused["mend"]


def test_a_mistake_of_ours_repeats_nothing_of_the_data() -> None:
    refused = check(Desk(GATEWAY), Given("CASE.csv", b""), now="Zebediah")["refused"]
    assert refused["code"] == "internal"
    assert "Zebediah" not in json.dumps(refused)


def test_a_full_memory_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(browser, "check_files", full)
    assert check(Desk(GATEWAY), *given())["refused"]["code"] == "too-large-for-browser"


PROFILE = f"""
agency_id = "{samples.AGENCY_ID}"
lawful_basis = "PUBLIC_TASK"
link_scheme = "NONE"
contact = {{role = "Data officer", team = "Data", mailbox = "data@leeds.gov.uk"}}
sign_off = {{role = "Head of Data"}}
coverage = {{units_expected = 1, units_reporting = 1}}
"""


def test_a_profile_stands_in_for_an_agency() -> None:
    report = check(Desk(GATEWAY), *given(), profile=PROFILE)["report"]
    rules = {group["rule"] for section in report["sections"] for group in section["groups"]}
    assert not rules & {"CT-001", "CT-003"}
    lacking = f'agency_id = "{samples.AGENCY_ID}"\n'
    refused = check(Desk(GATEWAY), *given(), profile=lacking)["refused"]
    assert refused["code"] == "facts-refused"
    assert "lawful_basis is required" in refused["message"]


def test_it_is_told_how_far_the_check_is() -> None:
    told: list[int] = []
    rows = b"{}\n" * (2 * TELL_EVERY + 1)
    check(Desk(GATEWAY), Given("DECN.jsonl", rows), told=told)
    assert told == [TELL_EVERY, 2 * TELL_EVERY]


def test_a_workbook_whose_reader_died_gets_the_clause_of_one() -> None:
    book = Given("mine.xlsx", books.xlsx({"DECN": [list(STANDARD.records["DECN"].header)]}))
    desk = Desk(GATEWAY)
    [section] = check(desk, book, died="yes")["report"]["sections"]
    assert "more memory or time" in section["groups"][0]["message"]
    assert check(desk, book)["report"]["verdict"] == "accepted"
