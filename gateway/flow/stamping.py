"""Having what is published stamped: by each authority at most so often, and where the log grew."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from audit.checkpoint import claimed_checkpoint
from audit.entry import Entry
from gateway.store.database import Database
from gateway.store.log import PostgresLog
from gateway.store.stamps import StampPlace, add_stamp, newest_stamps, stamped_note
from gateway.timestamps import Authorities, Authority

RETRY = timedelta(minutes=5)
LONGEST_WAIT = timedelta(minutes=1)
"""Well below the tolerance of `audit.times`: so much older than an earlier stamp is no finding."""

log = structlog.get_logger("gateway.stamping")


class Stamping:
    """The timestamps of one log. When an authority was asked in vain is forgotten at a restart."""

    def __init__(
        self,
        database: Database,
        store: PostgresLog,
        authorities: Authorities,
        *,
        every: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._store = store
        self._authorities = authorities
        self._every = every
        self._clock = clock
        self._in_vain: dict[str, datetime] = {}

    def stamp_newest(self) -> None:
        """Ask whoever is due about the newest published checkpoint, and keep what they answer.

        Who does not answer is told of in the log, and asked again later.
        """
        published = self._store.published()
        if published is None:
            return
        size = claimed_checkpoint(published).size
        if self._waits(size):
            return
        with self._database.transaction() as session:
            newest, stamped = newest_stamps(session), stamped_note(session, size)
        note, due = stamped or published, self._due(size, newest)
        tokens, missing = self._authorities.tokens(note, due)
        for name, token in tokens.items():
            place = StampPlace(size, name, self._clock())
            with self._database.transaction() as session:
                add_stamp(session, place, note=note, token=token)
        for name, reason in missing.items():
            self._in_vain[name] = self._clock()
            log.warning("timestamp.missing", authority=name, detail=reason, size=size)

    def _waits(self, size: int) -> bool:
        """Whether an entry beyond what is published has waited for long.

        After an outage of the sequencer or of witnesses a stamp would make it look dated back.
        """
        beyond = [*self._store.entries(size, size + 1)]
        beyond += [each.entry for each in self._store.pending(1)]
        oldest = min((Entry.from_bytes(each).time for each in beyond), default=None)
        return oldest is not None and self._clock() - oldest > LONGEST_WAIT

    def _due(self, size: int, newest: Mapping[str, StampPlace]) -> list[Authority]:
        return [
            each
            for each in self._authorities.listed
            if self._is_due(each.name, size, newest.get(each.name))
        ]

    def _is_due(self, name: str, size: int, last: StampPlace | None) -> bool:
        now, in_vain = self._clock(), self._in_vain.get(name)
        if in_vain is not None and now - in_vain < min(RETRY, self._every):
            return False
        return last is None or (size > last.size and now - last.received_at >= self._every)
