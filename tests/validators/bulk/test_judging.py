"""A package judged in bulk and row by row: one outcome, to the last finding and octet."""

import errno
import io
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.validators import samples, stories
from tests.validators.test_between_records import EXAMPLES, STANDARD, Example, Known
from validators.accepted import MemorySpool
from validators.bulk import judging
from validators.bulk.judging import BulkRows
from validators.fields.ids import is_record_id
from validators.rows import Rows
from validators.rules.linked import LinkedCase
from validators.run import NoHistory, Outcome, validate
from validators.standard import load_standards

Records = dict[str, list[dict[str, Any]]]


class Held(NoHistory):
    """Some records are held from earlier."""

    def __init__(self, *record_ids: str) -> None:
        self._held = set(record_ids)

    def held(self, record_type: str, record_ids: Any, *, replacing: Any) -> set[str]:
        del record_type, replacing
        assert all(map(is_record_id, record_ids))
        return self._held & set(record_ids)


@dataclass
class Told:
    """All that is said of a package."""

    report: object
    accepted: dict[str, list[bytes]]
    new_records: dict[str, set[str]]
    attachments: tuple[str, ...]
    nil: bool


def told(outcome: Outcome) -> Told:
    return Told(
        outcome.report,
        {kind: list(rows.lines()) for kind, rows in outcome.accepted.items()},
        {kind: set(ids) for kind, ids in outcome.new_records.items()},
        outcome.attachments,
        outcome.nil,
    )


def both(records: Any, *, history: NoHistory | None = None, **changed: Any) -> tuple[Told, Told]:
    ways: list[type[Rows]] = [Rows, BulkRows]
    one, other = (judged(records, way, history=history, **changed) for way in ways)
    return one, other


def judged(records: Any, way: type[Rows], *, history: NoHistory | None, **changed: Any) -> Told:
    return told_of(samples.package(STANDARD, records, **changed).data, way, history=history)


def told_of(package: bytes, way: type[Rows], *, history: NoHistory | None = None) -> Told:
    return told(
        validate(
            io.BytesIO(package),
            standards=load_standards(),
            received_on=samples.RECEIVED_ON,
            history=history or NoHistory(),
            make_rows=way,
        )
    )


def same(records: Any, **given: Any) -> Told:
    one, other = both(records, **given)
    assert other == one
    return one


def same_files(files: dict[str, bytes]) -> Told:
    package = samples.built_from_files(STANDARD, files).data
    one, other = (told_of(package, way) for way in (Rows, BulkRows))
    assert other == one
    return one


def csv_of(kind: str, rows: list[dict[str, Any]], *, columns: Sequence[str] = ()) -> bytes:
    header = columns or STANDARD.records[kind].header
    lines = (",".join(str(row.get(name, "")) for name in header) for row in rows)
    return "\n".join([",".join(header), *lines, ""]).encode()


class Slow(MemorySpool):
    """A disk that takes its time."""

    def write(self, data: bytes, /) -> int:
        time.sleep(0.05)
        return super().write(data)


class Full(MemorySpool):
    """A disk that is full."""

    def write(self, data: bytes, /) -> int:
        raise OSError(errno.ENOSPC, "no room", f"for {len(data)} octets")


def judged_into(*spools: type[MemorySpool]) -> Outcome:
    """A return of several files in bulk, each kept in a spool of its own; the last for the rest."""
    given = chain(spools, repeat(spools[-1]))

    def make_spool() -> MemorySpool:
        return next(given)()

    return validate(
        io.BytesIO(samples.package(STANDARD, samples.children(9)).data),
        standards=load_standards(),
        received_on=samples.RECEIVED_ON,
        history=NoHistory(),
        make_rows=BulkRows,
        make_spool=make_spool,
    )


def test_what_was_accepted_is_kept_when_the_judging_is_over() -> None:
    assert told(judged_into(Slow)) == told(judged_into(MemorySpool))


@pytest.mark.parametrize("before", [0, 1, 2])
def test_what_cannot_be_kept_is_told_and_no_thread_is_left(before: int) -> None:
    threads = threading.active_count()
    with pytest.raises(OSError, match="no room"):
        judged_into(*[MemorySpool] * before, Full)
    assert threading.active_count() == threads


@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_rows_keep_their_order_in_whatever_parts_they_are_put_together(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Cases with a warning are judged one by one, and stand among those that were cleared."""
    monkeypatch.setattr(judging, "_AT_ONCE", at_once)
    records = samples.children(11)
    for case in records["CASE"][::3] + records["CASE"][-1:]:
        case |= {"birth_date_status": "ESTIMATED", "age_dispute_status": "NONE", "uasc": "NO"}
    found = same(records)
    assert len(found.accepted["CASE"]) == len(records["CASE"])
    assert found.report.totals["CT-035"] == 5  # type: ignore[attr-defined]


@pytest.mark.parametrize("example", EXAMPLES, ids=[each.rule for each in EXAMPLES])
def test_every_rule_between_records_says_the_same(example: Example) -> None:
    for records in (example.accepted, example.refused):
        same(records, agency_id=example.agency_id)


def test_a_return_of_some_hundred_children_is_the_same() -> None:
    records = samples.children(300)
    for case in records["CASE"][::7]:
        case["sex"] = "X"
    for row in records["EXPL"][::11]:
        row["is_primary"] = "false"
    found = same(records)
    assert {"CT-016", "CT-046"} <= set(found.report.totals)  # type: ignore[attr-defined]


def test_what_is_wrong_is_told_in_the_order_of_the_standard_whatever_that_of_the_file() -> None:
    """Of a file with more than can be told, it is the same that is left out."""
    rows = samples.children(2)["CASE"]
    rows[1] |= {"sex": "X", "uasc": "X", "birth_year_month": "soon"}
    backwards = STANDARD.records["CASE"].header[::-1]
    found = same_files({"CASE.csv": csv_of("CASE", rows, columns=backwards)})
    columns = [each.column for each in found.report.findings]  # type: ignore[attr-defined]
    assert columns[:3] == ["birth_year_month", "sex", "uasc"]


@pytest.mark.parametrize("record_id", [5, None, True])
def test_counts_are_not_compared_where_a_case_has_no_id(record_id: object) -> None:
    rows: list[dict[str, Any]] = [*samples.children(3)["CASE"]]
    rows[1] = {**rows[1], "record_id": record_id}
    cases = "\n".join(map(json.dumps, rows)).encode()
    counts = csv_of("ACTV", [stories.actv(count="3")])
    found = same_files({"CASE.jsonl": cases, "ACTV.csv": counts})
    assert "CT-093" not in found.report.totals  # type: ignore[attr-defined]


def test_cases_that_are_all_withdrawn_are_none_to_compare_counts_with() -> None:
    records = {"CASE": [stories.case(record_action="DELETE")], "ACTV": [stories.actv()]}
    assert "CT-093" not in same(records).report.totals  # type: ignore[attr-defined]


def test_an_id_that_stands_twice_is_found_within_and_across_files() -> None:
    records = samples.children(6)
    records["CASE"][4]["record_id"] = records["CASE"][1]["record_id"]
    records["EXPL"][2]["record_id"] = records["DECN"][3]["record_id"]
    records["CASE"][5]["sex"] = "X"
    records["EXPL"][0]["record_id"] = records["CASE"][5]["record_id"]
    found = same(records)
    assert found.report.totals["CT-024"] == 6  # type: ignore[attr-defined]


@pytest.mark.parametrize("rule", ["CT-083", "CT-084"])
def test_an_event_without_a_case_misses_none(rule: str) -> None:
    """A crime may be recorded before it is known whose it is."""
    [example] = (each for each in EXAMPLES if each.rule == rule)
    assert any(not row.get("case_id") for row in example.accepted["JUST"])
    found = same(example.accepted, agency_id=example.agency_id, history=Held())
    assert "CT-026" not in found.report.totals  # type: ignore[attr-defined]


def test_what_is_held_is_asked_alike() -> None:
    records = samples.children(5)
    held = [records["CASE"][1]["record_id"], records["EXPL"][2]["record_id"]]
    records["CASE"][3]["record_action"] = "AMEND"
    records["EXPL"][4]["case_id"] = stories.fresh_id()
    records["DECN"][0]["record_action"] = "DELETE"
    found = same(records, history=Held(*held))
    assert {"CT-025", "CT-026"} <= set(found.report.totals)  # type: ignore[attr-defined]


def test_where_links_are_known_bulk_asks_and_says_the_same() -> None:
    records = samples.children(40)
    for at, row in enumerate(records["CASE"]):
        row["record_action"] = "DELETE" if at == 3 else row["record_action"]
        row["sex"] = "X" if at % 9 == 4 else row["sex"]
        row["birth_year_month"] = "1999-01" if at % 5 == 2 else row["birth_year_month"]
    one = LinkedCase("F", "2010-06", None, frozenset({"lt_name_dob"}), is_missing=True)
    singly, in_bulk = Known(linked=[one]), Known(linked=[one])
    found = judged(records, Rows, history=singly)
    assert judged(records, BulkRows, history=in_bulk) == found
    assert {"CT-104", "CT-106"} <= set(found.report.totals)  # type: ignore[attr-defined]
    asked = [sorted(filter(None, history.asked)) for history in (singly, in_bulk)]
    assert asked[0] == asked[1]


def test_counts_are_compared_with_cases_alike() -> None:
    records = stories.story(ACTV=[stories.actv()])
    same(records)


COLUMNS = {
    "CASE": {
        "record_action": ["NEW", "AMEND", "DELETE"],
        "person_ref": ["P-aaaaaaaaaaaaaaaa", "P-bbbbbbbbbbbbbbbb", "short-one"],
        "birth_year_month": ["2009-03", "2012-01", ""],
        "identification_date": ["2026-01-09", "2026-02-01"],
        "lt_name_dob": [stories.token(3), stories.token(4)],
        "uasc": ["NO", "YES", "UNK"],
        "sex": ["F", "X"],
    },
    "EXPL": {
        "record_action": ["NEW", "DELETE"],
        "is_primary": ["true", "false"],
        "start_date": ["", "2025", "2026-01", "2027-01-01", "2030-01"],
        "uk_entry_date": ["", "2025-06", "2026-03"],
        "uk_entry_route": ["", "BORN_UK"],
        "exploitation_type": ["SEX", "CRIM", "LAB"],
    },
    "DECN": {"decision_type": ["RG", "CG"], "decision_date": ["2026-01-20", "2026-03-01"]},
    "CARE": {"start_date": ["2026-01-05", "2026-02-05"], "end_date": ["", "2026-03-01"]},
}
MAKERS = {"CASE": stories.case, "EXPL": stories.expl, "DECN": stories.decn, "CARE": stories.care}


@st.composite
def packages(draw: st.DrawFn) -> Records:
    """Families that overlap: few cases, few children, few tokens, and rows of every kind."""
    cases = [stories.fresh_id() for _ in range(3)]
    records: Records = {}
    for kind, values in COLUMNS.items():
        changes = st.fixed_dictionaries(
            {}, optional={k: st.sampled_from(v) for k, v in values.items()}
        )
        about = "record_id" if kind == "CASE" else "case_id"
        rows = [
            MAKERS[kind](**{**change, about: draw(st.sampled_from(cases))})  # type: ignore[operator]
            for change in draw(st.lists(changes, max_size=4))
        ]
        if rows:
            records[kind] = rows
    return records


@given(packages())
@settings(max_examples=100, deadline=None)
def test_any_package_is_the_same(records: Records) -> None:
    same(records)
    same(
        records, history=Held(*(row["record_id"] for rows in records.values() for row in rows[:1]))
    )
