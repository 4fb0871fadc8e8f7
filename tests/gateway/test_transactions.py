"""A transaction that failed inside is never taken for one that was kept."""

from contextlib import suppress
from uuid import uuid4

import pytest
from psycopg.errors import DivisionByZero
from sqlalchemy import text

from gateway.store.database import raw_connection
from gateway.store.jobs import PROCESS, JobQueue, in_hand
from tests.gateway.stand import Stand


def test_a_second_job_for_one_submission_spoils_nothing(stand: Stand) -> None:
    queue, submission = JobQueue(), uuid4()
    with stand.database.transaction() as session:
        queue.process(session, submission)
    with stand.database.transaction() as session:
        queue.process(session, submission)  # is waiting already
        session.execute(text("CREATE TABLE kept (id integer)"))
    with stand.database.transaction() as session:
        assert submission in in_hand(session, PROCESS)
        assert session.execute(text("SELECT count(*) FROM kept")).scalar_one() == 0


def test_an_error_that_somebody_swallowed_does_not_pass_for_a_commit(stand: Stand) -> None:
    with pytest.raises(RuntimeError, match="failed transaction"):
        lose(stand)
    with stand.database.transaction() as session:
        assert session.execute(text("SELECT to_regclass('lost')")).scalar_one() is None


def lose(stand: Stand) -> None:
    with stand.database.transaction() as session:
        session.execute(text("CREATE TABLE lost (id integer)"))
        with suppress(DivisionByZero):
            raw_connection(session).execute("SELECT 1 / 0")
