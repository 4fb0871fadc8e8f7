"""The migrated schema is what the models say, whoever migrates, and however often."""

from threading import Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from gateway.store.database import Database
from gateway.store.migrate import migrate
from gateway.store.tables import Model
from tests.gateway.stand import Stand


def ours(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    return not (kind == "table" and str(name).startswith("procrastinate_"))


def test_the_schema_is_what_the_models_say(database_url: str) -> None:
    database = Database(database_url)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        assert compare_metadata(context, Model.metadata) == []
    database.dispose()


def test_migrating_twice_and_at_once_is_migrating_once(bare_database_url: str) -> None:
    faults: list[Exception] = []

    def run() -> None:
        database = Database(bare_database_url)
        try:
            migrate(database)
            migrate(database)
        except Exception as error:  # noqa: BLE001 - a thread's fault must reach the test
            faults.append(error)
        database.dispose()

    threads = [Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    database = Database(bare_database_url)
    with database.transaction() as session:
        assert session.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1
        assert session.execute(text("SELECT count(*) FROM submission")).scalar_one() == 0
    database.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO release VALUES (gen_random_uuid(), 'n', 'p', 'approved', 'ada', now(), 'ada',"
        " now())",
        "INSERT INTO certificate VALUES ('F', 'nobody', '', NULL, now())",
    ],
    ids=["one person releases", "a certificate of nobody"],
)
def test_the_database_itself_refuses(stand: Stand, statement: str) -> None:
    with pytest.raises(IntegrityError):
        run(stand, statement)


def run(stand: Stand, statement: str) -> None:
    with stand.database.transaction() as session:
        session.execute(text(statement))
