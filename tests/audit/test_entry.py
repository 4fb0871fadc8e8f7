"""Entries: one event, one spelling, and no room for what must not be written down."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit.actions import Action
from audit.entry import MAX_ENTRY_BYTES, Entry, Outcome, Reason, Skimmed, moment, skim
from audit.errors import EntryRefused
from audit.fields import OPTIONAL, PATTERNS
from tests.audit.samples import event

PLAIN = event(7)
CENTURY = datetime(2000, 1, 1, tzinfo=UTC)
TIME = re.compile(PATTERNS["time"])
BYTES = PLAIN.to_bytes()


def matching(name: str) -> st.SearchStrategy[str]:
    return st.from_regex(re.compile(PATTERNS[name], re.ASCII), fullmatch=True)


def fields() -> st.SearchStrategy[dict[str, Any]]:
    chosen: dict[str, st.SearchStrategy[Any]] = {name: matching(name) for name in PATTERNS}
    milliseconds = st.integers(0, 3_155_000_000_000)
    chosen["time"] = milliseconds.map(lambda number: CENTURY + timedelta(milliseconds=number))
    chosen["action"] = st.sampled_from(Action)
    chosen["agency_counter"] = st.integers(0, 10**15 - 1)
    return st.fixed_dictionaries(
        {
            name: st.none() | strategy if name in OPTIONAL else strategy
            for name, strategy in chosen.items()
        }
    )


@given(fields())
def test_an_entry_comes_back_from_its_bytes(values: dict[str, Any]) -> None:
    entry = Entry(**values)
    data = entry.to_bytes()
    assert Entry.from_bytes(data) == entry
    assert rfc8785.dumps(json.loads(data)) == data
    assert len(data) <= MAX_ENTRY_BYTES


@given(st.integers(0, len(BYTES) - 1), st.integers(0, 255))
def test_bytes_that_are_read_are_the_ones_that_would_be_written(position: int, byte: int) -> None:
    altered = BYTES[:position] + bytes([byte]) + BYTES[position + 1 :]
    try:
        entry = Entry.from_bytes(altered)
    except EntryRefused:
        return
    assert entry.to_bytes() == altered


@given(fields())
def test_skimming_an_entry_finds_what_reading_it_finds(values: dict[str, Any]) -> None:
    entry = Entry(**values)
    skimmed = skim([entry.to_bytes()])
    ((action,), (agency,), (counter,), (event_id,), (time,)) = skimmed
    assert (action.decode(), event_id.decode()) == (entry.action, entry.event_id)
    assert agency == (None if entry.agency is None else entry.agency.encode())
    assert counter == (None if entry.agency_counter is None else b"%d" % entry.agency_counter)
    assert moment(time) == round(entry.time.timestamp() * 1000)


@given(st.integers(0, len(BYTES) - 1), st.binary(max_size=2), st.integers(0, 2))
def test_skimming_is_as_strict_as_reading(position: int, put: bytes, cut: int) -> None:
    altered = BYTES[:position] + put + BYTES[position + cut :]
    _same_verdict(altered)


def skim_one(data: bytes) -> Skimmed:
    return skim([BYTES, data])


def _same_verdict(data: bytes) -> None:
    verdicts = []
    for read in (Entry.from_bytes, skim_one):
        try:
            read(data)
        except EntryRefused:
            verdicts.append("refused")
        else:
            verdicts.append("read")
    assert verdicts[0] == verdicts[1], data


def test_the_days_are_those_of_the_calendar() -> None:
    for year in range(2000, 2100):
        for month in range(14):
            for day in range(33):
                date = f"{year}-{month:02}-{day:02}"
                try:
                    datetime.fromisoformat(date)
                except ValueError:
                    assert not TIME.fullmatch(f"{date}T12:00:00.000Z")
                else:
                    assert TIME.fullmatch(f"{date}T12:00:00.000Z")


def test_entries_of_version_1_are_read_for_ever() -> None:
    old = BYTES.replace(b'"v":2', b'"v":1')
    entry = Entry.from_bytes(old)
    assert (entry.v, entry.to_bytes()) == (1, old)
    assert skim([old]) == skim([BYTES])


def test_a_reason_needs_the_version_that_has_reasons() -> None:
    data = event(7, reason_code=Reason.KEY_COMPROMISED).to_bytes()
    assert Entry.from_bytes(data).reason_code == "key-compromised"
    with pytest.raises(EntryRefused, match="younger"):
        event(7, reason_code=Reason.KEY_COMPROMISED, v=1)
    old = data.replace(b'"v":2', b'"v":1')
    for read in (Entry.from_bytes, skim_one):
        with pytest.raises(EntryRefused):
            read(old)


@pytest.mark.parametrize("version", [0, 3, True, "2", None])
def test_there_are_no_other_versions(version: Any) -> None:
    with pytest.raises(EntryRefused):
        event(7, v=version)


def test_the_bytes_are_canonical_json() -> None:
    assert BYTES == (
        b'{"action":"submission.received","actor":"00000000000000000000000000000007",'
        b'"actor_type":"agency","agency":"POL-E23000001","auth_method":"token",'
        b'"event_id":"019b8d7d-f1c7-7d3e-8f00-000000000007",'
        b'"object_id":"00000000-0000-4000-8000-000000000007",'
        b'"object_sha256":"0000000000000000000000000000000000000000000000000000000000000007",'
        b'"object_type":"submission","outcome":"success","request_id":"0000000000000007",'
        b'"software":"ctds-gateway/0.1.0","source":"55555555555555555555555555555555",'
        b'"standard":"CTDS 1.0","time":"2026-01-05T09:30:00.007Z","v":2}'
    )


def test_what_does_not_apply_is_left_out() -> None:
    entry = event(1, **dict.fromkeys(OPTIONAL))
    assert b"null" not in entry.to_bytes()
    assert Entry.from_bytes(entry.to_bytes()) == entry


def test_the_enum_and_its_text_are_the_same_outcome() -> None:
    assert event(1, outcome=Outcome.REFUSED).to_bytes() == event(1, outcome="refused").to_bytes()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[" * 4096,
        b" " + BYTES,
        BYTES + b"\n",
        BYTES + BYTES,
        BYTES.replace(b'","', b'", "', 1),
        BYTES.replace(b'"v":2', b'"v":3'),
        BYTES.replace(b'"v":2', b'"v":2.0'),
        BYTES.replace(b'"v":2', b'"v":2,"v":1'),
        BYTES.replace(b'"v":2', b'"v":2,"w":1'),
        BYTES.replace(b'"v":2', b'"name":"A Child","v":2'),
        BYTES.replace(b"agency", b"\\u0061gency", 1),
        BYTES.replace(b"success", b"\\u0073uccess"),
        BYTES.replace(b"success", "succ\u00e9ss".encode()),
        BYTES.replace(b"success", b"succ\xffss"),
        BYTES.replace(b"received", b"recieved"),
        BYTES.replace(b"2026-01-05", b"2026-02-30"),
        BYTES.replace(b"T09:30", b"T24:30"),
        BYTES.replace(b"00.007Z", b"00.007+00:00"),
        BYTES.replace(b'"actor":"00000000000000000000000000000007",', b""),
        BYTES.replace(b'"agency":"POL', b'"agency":"' + b"P" * 5000 + b"POL"),
    ],
)
def test_bytes_of_any_other_spelling_are_refused(data: bytes) -> None:
    _same_verdict(data)
    with pytest.raises(EntryRefused):
        Entry.from_bytes(data)


def test_counters_have_one_spelling() -> None:
    data = event(1, agency_counter=12).to_bytes()
    assert b'"agency_counter":12,' in data
    for other in (b"012", b"1.2e1", b"12.0", b"-12", b"9007199254740992", b"true", b'"12"'):
        with pytest.raises(EntryRefused):
            Entry.from_bytes(data.replace(b'"agency_counter":12', b'"agency_counter":' + other))


PERSONAL = [
    "Maria Example",
    "maria.example@police.example",
    "1 Example Street",
    "2011-03-04",
    "04/03/2011",
    "20110304",
    "943 476 5919",
    "9434765919",
    "AB123456C",
    "SW1A 1AA",
    "+44 7700 900123",
    "192.0.2.1",
    "2001:db8::1",
    "return-2026-Q1-maria.csv",
    "../../etc/passwd",
    "<script>",
    "'; DROP TABLE",
    "",
    " ",
    "a\nb",
    "\u202etxt",
    "x" * 5000,
]


@pytest.mark.parametrize("name", sorted(PATTERNS.keys() - {"time"}))
def test_no_field_takes_personal_data_or_free_text(name: str) -> None:
    for text in PERSONAL:
        with pytest.raises(EntryRefused) as refused:
            event(1, **{name: text})
        assert name in str(refused.value)
        assert not text.strip() or text not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("agency", "NCA"),
        ("agency", "POL-PFA_NI"),
        ("agency", "NGO-MIGRANTHELP"),
        ("error_code", "CT-003"),
        ("error_code", "token-revoked"),
        ("error_code", "signature-sha1"),
        ("object_id", "POL-E23000001"),
        ("object_id", "0123456789ABCDEF0123456789ABCDEF01234567"),
        ("software", "ctds-gateway/0.1.0.dev3+g1a2b3c"),
        ("request_id", "0123456789abcdef"),
    ],
)
def test_identifiers_in_use_are_taken(name: str, value: str) -> None:
    entry = event(1, **{name: value})
    assert Entry.from_bytes(entry.to_bytes()) == entry


@pytest.mark.parametrize(
    "changes",
    [
        {"time": CENTURY.replace(tzinfo=None)},
        {"time": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))},
        {"time": datetime(2026, 1, 1, microsecond=1, tzinfo=UTC)},
        {"time": datetime(1999, 12, 31, tzinfo=UTC)},
        {"time": datetime(2100, 1, 1, tzinfo=UTC)},
        {"time": "2026-01-01T00:00:00.000Z"},
        {"agency_counter": -1},
        {"agency_counter": 10**15},
        {"agency_counter": True},
        {"agency_counter": 1.0},
        {"actor": None},
        {"actor": 7},
        {"event_id": "0190f3c2-1b2c-4d3e-8f00-0123456789ab"},
        {"action": "submission.eaten"},
    ],
)
def test_values_of_other_kinds_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(EntryRefused):
        event(1, **changes)


def test_every_action_is_explained_and_named_after_its_value() -> None:
    for action in Action:
        assert action.meaning.endswith(".")
        assert action.name.lower() == action.value.replace("-", "_").replace(".", "_")
        assert event(1, action=action).action is Action(action.value)


@pytest.mark.parametrize("counter", [0, 7, 40, 10**15 - 1])
def test_an_entry_can_be_numbered_where_it_is_kept(counter: int) -> None:
    entry = event(1, agency="POL-E23000020", request_id="0" * 16)
    before, after = entry.around_counter()
    numbered = replace(entry, agency_counter=counter)
    assert before + str(counter).encode() + after == numbered.to_bytes()
