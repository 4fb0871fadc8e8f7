"""Real servers for every test that meets one: PostgreSQL and S3, started once a session.

A test module gets a database of its own, already migrated, and a bucket prefix of its own, so that
modules do not see each other; with them, if it asks, a whole gateway. Tests that stop or kill a
server start one for themselves.
"""

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from gateway.embedded import EmbeddedServers
from gateway.store.database import Database
from gateway.store.migrate import migrate
from tests.gateway.stand import Keys, Stand, development, make_keys


@pytest.fixture(scope="session")
def servers() -> Iterator[EmbeddedServers]:
    """Both servers, shared by the whole session.

    Not in pytest's own folder: another session sets that folder's mode anew, and as root PostgreSQL
    runs under an account whose way into its data such a change would close.
    """
    with (
        TemporaryDirectory(prefix="gateway-tests-") as folder,
        EmbeddedServers(Path(folder)) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def database_template(servers: EmbeddedServers) -> str:
    """The name of a migrated database to copy; a copy takes a fraction of a migration's time."""
    url = create_database(servers, template="template1")
    database = Database(url)
    migrate(database)
    database.dispose()
    return str(make_url(url).database)


@pytest.fixture(scope="module")
def database_url(servers: EmbeddedServers, database_template: str) -> Iterator[str]:
    """A migrated, empty database for one test module, dropped afterwards."""
    url = create_database(servers, template=database_template)
    yield url
    drop_database(servers, url)


@pytest.fixture
def bare_database_url(servers: EmbeddedServers) -> Iterator[str]:
    """A database without any table, for one test of the migrations."""
    url = create_database(servers, template="template1")
    yield url
    drop_database(servers, url)


@pytest.fixture(scope="module")
def bucket_prefix() -> str:
    """What the names of one test module's buckets begin with."""
    return f"test-{token_hex(4)}"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The keys of all gateways of the session."""
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def environ(
    servers: EmbeddedServers, database_url: str, bucket_prefix: str, keys: Keys
) -> dict[str, str]:
    """The settings of one gateway."""
    return {
        **development(servers.environ(), keys, bucket_prefix=bucket_prefix),
        "DATABASE_URL": database_url,
        "MAX_UPLOAD_BYTES": str(32 << 20),
    }


@pytest.fixture(scope="module")
def stand(environ: dict[str, str], keys: Keys) -> Iterator[Stand]:
    """One gateway."""
    running = Stand(environ, keys)
    yield running
    running.close()


def create_database(servers: EmbeddedServers, *, template: str) -> str:
    """A new database of the gateway's own role; answer its URL."""
    url = make_url(servers.postgres.url)
    name = f"test_{token_hex(6)}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
        sql.Identifier(name), sql.Identifier(template), sql.Identifier(str(url.username))
    )
    _as_superuser(servers, create)
    return url.set(database=name).render_as_string(hide_password=False)


def drop_database(servers: EmbeddedServers, url: str) -> None:
    # FORCE: a test that failed may have left connections behind.
    name = sql.Identifier(str(make_url(url).database))
    _as_superuser(servers, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _as_superuser(servers: EmbeddedServers, statement: sql.Composed) -> None:
    address = servers.postgres.admin_url.replace("+psycopg", "", 1)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement)
