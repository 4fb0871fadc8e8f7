"""One event, and the bytes of it that the log hashes.

The bytes are canonical JSON (RFC 8785): one event has one spelling, so two readers cannot see two
events in one leaf. The canonical entries form a regular language, and `from_bytes` reads them with
one expression instead of a JSON parser: whatever is not exactly what `to_bytes` writes (another
order, a space, a key twice, an escape, an unknown key) does not match. A refusal names the field
and never the value, which may be the very thing that must not be written down.
"""

import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import rfc8785

from audit.actions import Action
from audit.errors import EntryRefused
from audit.fields import OPTIONAL, PATTERNS, ActorType, AuthMethod, ObjectType, Outcome

__all__ = ["ActorType", "AuthMethod", "Entry", "ObjectType", "Outcome"]

VERSION = 1
MAX_ENTRY_BYTES = 4096
# Above this, readers whose numbers are doubles (RFC 8785, I-JSON) would see another counter.
MAX_COUNTER = 2**53 - 1
_COUNTER = "0|[1-9][0-9]{0,15}"
_CHECKS = {name: re.compile(pattern) for name, pattern in PATTERNS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event. Fields that do not apply are None and left out of the bytes."""

    event_id: str  # UUID version 7
    time: datetime  # UTC, whole milliseconds
    action: Action
    outcome: str  # Outcome
    actor: str  # keyed pseudonym
    actor_type: str  # ActorType
    auth_method: str  # AuthMethod
    source: str | None = None  # keyed pseudonym of the network source
    agency: str | None = None  # id in the public register
    object_type: str | None = None  # ObjectType
    object_id: str | None = None
    object_sha256: str | None = None  # of the ciphertext
    error_code: str | None = None
    request_id: str | None = None
    standard: str | None = None  # "CTDS 1.0"
    software: str  # "ctds-gateway/0.1.0"
    agency_counter: int | None = None  # how many entries of this agency came before

    def __post_init__(self) -> None:
        """Raise EntryRefused for the first field whose value could not be an identifier."""
        _require_time(self.time)
        _require_counter(self.agency_counter)
        for name, check in _CHECKS.items():
            if name == "time":
                continue
            value = getattr(self, name)
            if value is None and name in OPTIONAL:
                continue
            if not isinstance(value, str) or not check.fullmatch(value):
                raise EntryRefused(f"{name} is not of its form")

    def to_bytes(self) -> bytes:
        """The canonical bytes, which are what the leaf hash covers."""
        members = {name: getattr(self, name) for name in _NAMES}
        members["time"] = self.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        members["v"] = VERSION
        return rfc8785.dumps({key: value for key, value in members.items() if value is not None})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Entry":
        """The event in canonical bytes; raises EntryRefused for any other bytes."""
        if len(data) > MAX_ENTRY_BYTES:
            raise EntryRefused("an entry is at most 4096 bytes long")
        found = _CANONICAL.fullmatch(data.decode("latin-1"))
        if found is None:
            raise EntryRefused("the bytes are not a canonical entry")
        members: dict[str, Any] = found.groupdict()
        members["time"] = _read_time(members["time"])
        members["action"] = Action(members["action"])
        if members["agency_counter"] is not None:
            members["agency_counter"] = int(members["agency_counter"])
        return cls(**members)


def event_id_of(canonical: bytes) -> str:
    """The event id in bytes that `Entry.from_bytes` has accepted, without reading the rest again.

    No value of an entry holds a quotation mark, so nothing else can pass for this member.
    """
    start = canonical.index(_EVENT_ID) + len(_EVENT_ID)
    return canonical[start : start + 36].decode("ascii")


_EVENT_ID = b',"event_id":"'
_NAMES = tuple(field.name for field in fields(Entry))


def _canonical() -> re.Pattern[str]:
    parts = []
    for name in sorted([*_NAMES, "v"]):
        part = f'"{name}":{_value(name)}'
        # "action" is the first key and required, so every other one follows a comma.
        part = part if name == "action" else f",{part}"
        parts.append(f"(?:{part})?" if name in OPTIONAL else part)
    return re.compile(r"\{" + "".join(parts) + r"\}")


def _value(name: str) -> str:
    if name == "v":
        return str(VERSION)
    if name == "agency_counter":
        return f"(?P<{name}>{_COUNTER})"
    return f'"(?P<{name}>{PATTERNS[name]})"'


_CANONICAL = _canonical()


def _read_time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise EntryRefused("time is not a moment of the calendar") from None


def _require_time(time: datetime) -> None:
    if not isinstance(time, datetime) or time.utcoffset() != timedelta(0):
        raise EntryRefused("time is not in UTC")
    if time.microsecond % 1000:
        raise EntryRefused("time is not in whole milliseconds")
    if not datetime(2000, 1, 1, tzinfo=UTC) <= time < datetime(2100, 1, 1, tzinfo=UTC):
        raise EntryRefused("time is not in this century")


def _require_counter(counter: int | None) -> None:
    if counter is None:
        return
    # A bool is an int to Python, and `true` to JSON.
    if type(counter) is not int or not 0 <= counter <= MAX_COUNTER:
        raise EntryRefused("agency_counter is not a count")
