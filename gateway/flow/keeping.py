"""Accepted records on their way to the seal: no linkage token goes on as it was received.

Each is parsed, its tokens are replaced (`validators.linkage.pepper`), and what later submissions
are held against is noted. All other record types go on as the octets that they are.
"""

import json
from collections.abc import Iterator

from gateway.flow.facts import Notes
from gateway.flow.pepper import Pepper
from gateway.records import Submission
from gateway.store.linkage import Remembered
from validators.accepted import AcceptedRows, line_of
from validators.standard import RecordType

_LINKED = "CASE"
_NOTED = frozenset({"MISS", "ACTV"})


class Keeping:
    """Turns the accepted rows of one submission into the lines that are sealed."""

    def __init__(self, submission: Submission, *, pepper: Pepper, case: RecordType) -> None:
        self._peppering = pepper.peppering(case)
        self._notes = Notes(pepper, agency_id=submission.agency_id, submission_id=submission.id)

    def lines(self, record_type: str, records: AcceptedRows) -> Iterator[bytes]:
        """Yield each row as one line of JSON with its line end."""
        for line in records.lines():
            yield self._kept(record_type, line)

    @property
    def noted(self) -> list[Remembered]:
        """What is to be remembered of the rows that were turned."""
        return self._notes.taken

    def _kept(self, record_type: str, line: bytes) -> bytes:
        if record_type in _NOTED:
            self._notes.take(record_type, json.loads(line))
        if record_type != _LINKED:
            return line
        record = self._peppering.replaced(json.loads(line))
        self._notes.take(record_type, record)
        return f"{line_of(record)}\n".encode()
