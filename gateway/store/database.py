"""One engine, one way to open a transaction.

Every write of the gateway happens inside `Database.transaction()`: it commits when the block ends
and rolls back when the block raises, so that a state change and its audit entry stand or fall
together (docs/architecture.md, invariants 1 and 5).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from gateway.errors import ServiceFailed
from gateway.store.entries import write_entries

IDLE_SECONDS = 30.0
"""How long a transaction may stand still. One whose process was stopped in the middle would hold
its locks, the counter of an agency among them, for as long as that process stands."""


class Database:
    """PostgreSQL through SQLAlchemy 2 and psycopg 3."""

    def __init__(
        self, url: str, *, pool_size: int = 10, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self.engine = _engine(url, pool_size)
        self._apart = _engine(url, 1)
        event.listen(self.engine, "connect", partial(_allow_idle, idle_seconds))
        event.listen(self.engine, "commit", _refuse_lost_commit)
        self._looking = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits at the end of the block or not at all.

        What is added to it is written at the end, in one statement a table, and the audit entries
        after everything else (`store.entries`).
        """
        with (
            unavailable(),
            Session(self.engine, expire_on_commit=False, autoflush=False) as session,
            session.begin(),
        ):
            yield session
            write_entries(session)

    @contextmanager
    def look(self) -> Iterator[Session]:
        """A session for questions that stand each for itself: nothing is begun, nothing ended.

        For what is asked at every request; a transaction would be two round trips more.
        """
        with unavailable(), Session(self._looking, autoflush=False) as session:
            yield session

    def ping(self) -> None:
        """Return if the database answers; raise ServiceFailed otherwise."""
        with self.look() as session:
            session.execute(text("SELECT 1"))

    def now(self) -> datetime:
        """The database's own time; asked also by who is in a transaction, so on another connection.

        That one is kept apart from the pool: with all of the pool in use, each waiting for this
        answer, nobody would get it.
        """
        with unavailable(), self._apart.connect() as connection:
            told: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return told

    def dispose(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()
        self._apart.dispose()


def _engine(url: str, pool_size: int) -> Engine:
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        # No ping before each use: after a restart the first use of the pool fails with 503 and
        # empties it, which costs one retry in place of a round trip each time.
        pool_pre_ping=False,
        # The connection used last is used next: its backend has everything at hand.
        pool_use_lifo=True,
        pool_timeout=10,
        hide_parameters=True,  # an error must not carry the values of its statement
        connect_args={"connect_timeout": 5, "application_name": "gateway"},
    )


AWAY = (
    OperationalError,
    InterfaceError,
    PoolTimeout,
    # The same from statements on the raw connection, which SQLAlchemy does not wrap.
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
STOOD_STILL = psycopg.errors.IdleInTransactionSessionTimeout


@contextmanager
def unavailable() -> Iterator[None]:
    """A database that cannot be reached is ours to mend, and never the sender's."""
    try:
        yield
    except AWAY as error:
        raise _away(error) from error
    except (InternalError, STOOD_STILL) as error:
        if not isinstance(_cause(error), STOOD_STILL):
            raise
        raise _away(error) from error


def _away(error: Exception) -> ServiceFailed:
    return ServiceFailed(
        "database-unavailable",
        "The gateway cannot reach its database just now.",
        "Nothing was recorded. Try again in a minute.",
        detail=type(_cause(error)).__name__,
    )


def _cause(error: Exception) -> BaseException:
    """What the driver raised, where SQLAlchemy has wrapped it."""
    return getattr(error, "orig", None) or error


def _allow_idle(seconds: float, connection: psycopg.Connection[Any], _record: object) -> None:
    """Have the database end transactions of this connection that stand still for longer."""
    connection.execute(f"SET idle_in_transaction_session_timeout = {round(seconds * 1000)}")
    connection.commit()


def _refuse_lost_commit(connection: Connection) -> None:
    """Raise where an error in the transaction was swallowed: PostgreSQL would answer COMMIT with a
    rollback and no error, and what we acknowledge then would be gone.
    """
    driver: Any = connection.connection.driver_connection
    if driver.info.transaction_status is TransactionStatus.INERROR:
        raise RuntimeError("a failed transaction was about to be committed")


def raw_connection(session: Session) -> Any:
    """The psycopg connection under a session, for a library that joins the same transaction."""
    return session.connection().connection.driver_connection
