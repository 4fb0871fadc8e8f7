"""What is remembered of accepted records: added with the submission, looked up by keyed hashes.

Knows neither the pepper nor what a fact says. Only submissions that stand are looked at: those that
were withdrawn or replaced are gone from here (migration 0006), and are asked about all the same.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    bindparam,
    delete,
    func,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.store.database import raw_connection
from gateway.store.submissions import ACCEPTED
from gateway.store.tables import (
    LinkagePepperRow,
    LinkageTokenRow,
    RememberedRecordRow,
    SubmissionRow,
)

Row = TypeVar("Row")

RECORDS = "COPY remembered_record (submission_id, record, about, facts) FROM STDIN"
TOKENS = "COPY linkage_token (token, submission_id, record) FROM STDIN"

A_STATEMENT = 5_000
"""How many tokens or records are asked about, or written, at a time."""

MOST_OF_A_TOKEN = 20
"""How many cases of one token are looked at. The first that came are: whoever sends a token many
times over shall not hide an earlier case by it."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """One accepted version of a record, as it is kept."""

    record: bytes
    about: bytes
    facts: bytes
    tokens: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """One accepted version of a record, as it is found."""

    submission_id: UUID
    record: bytes
    about: bytes
    facts: bytes


@dataclass(frozen=True, slots=True)
class Shared:
    """A token that another agency's case has, too, and the submissions whose versions have it."""

    token: bytes
    record: bytes
    submissions: Sequence[UUID]


def remember(session: Session, submission_id: UUID, rows: Sequence[Remembered]) -> None:
    """Add what a submission brought.

    In the order of the hashes: the order of the file would tell which record each row is of.
    """
    rows = sorted(rows, key=attrgetter("record"))
    _copy(session, RECORDS, ((submission_id, row.record, row.about, row.facts) for row in rows))
    tokens = ((token, submission_id, row.record) for row in rows for token in row.tokens)
    _copy(session, TOKENS, tokens)


def shared_with_others(
    session: Session, tokens: Sequence[bytes], *, agency_id: str, since: datetime
) -> Iterator[Shared]:
    """Yield other agencies' cases that have one of these tokens, all of one length.

    They go as one string, which PostgreSQL cuts up: as an array each would be escaped, at more than
    half the time of the whole.
    """
    width, joined = len(tokens[0]), bindparam(None, b"".join(tokens), LargeBinary)
    at = func.generate_series(0, len(tokens) - 1).column_valued("at")
    asked = select(func.substr(joined, 1 + at * width, width).label("token")).subquery()
    found = (
        select(
            LinkageTokenRow.record,
            func.array_agg(LinkageTokenRow.submission_id).label("submissions"),
        )
        .join(SubmissionRow, SubmissionRow.id == LinkageTokenRow.submission_id)
        .where(
            LinkageTokenRow.token == asked.c.token,
            SubmissionRow.agency_id != agency_id,
            *_standing(since),
        )
        .group_by(LinkageTokenRow.record)
        .order_by(func.min(SubmissionRow.received_at), LinkageTokenRow.record)
        .limit(MOST_OF_A_TOKEN)
        .lateral()
    )
    query = select(asked.c.token, found.c.record, found.c.submissions).join_from(
        asked, found, onclause=true()
    )
    for row in session.execute(query):
        yield Shared(*row)


def versions_about(
    session: Session, about: Collection[bytes], *, since: datetime
) -> Iterator[Version]:
    """Yield every version of each record that ever said something of these, the oldest first."""
    said = RememberedRecordRow
    query = (
        select(said.submission_id, said.record, said.about, said.facts)
        .join(SubmissionRow, SubmissionRow.id == said.submission_id)
        .where(said.record.in_(select(said.record).where(said.about.in_(about))), *_standing(since))
        .order_by(SubmissionRow.received_at, said.record)
    )
    for row in session.execute(query):
        yield Version(*row)


def forget(session: Session, *, before: datetime) -> int:
    """Remove what came before a moment; return how many records there were."""
    old = select(SubmissionRow.id).where(SubmissionRow.received_at < before)
    removed = session.execute(
        delete(RememberedRecordRow)
        .where(RememberedRecordRow.submission_id.in_(old))
        .returning(RememberedRecordRow.submission_id)
        .execution_options(synchronize_session=False)
    )
    return len(removed.all())


def pepper_in_use(session: Session, name: bytes, *, now: datetime) -> bytes:
    """Return the name of the pepper in use, which is this one where there was none."""
    session.execute(
        insert(LinkagePepperRow).values(name=name, used_since=now).on_conflict_do_nothing()
    )
    return session.scalars(select(LinkagePepperRow.name)).one()


def in_statements(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Yield as many at a time as one statement takes."""
    return (rows[at : at + A_STATEMENT] for at in range(0, len(rows), A_STATEMENT))


def _copy(session: Session, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Add rows on the connection of this transaction: a return brings hundreds of thousands."""
    with raw_connection(session).cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _standing(since: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        SubmissionRow.state.in_(ACCEPTED),
        SubmissionRow.superseded_by.is_(None),
        SubmissionRow.received_at >= since,
    )
