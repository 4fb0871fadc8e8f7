"""Bring a database to the current schema, once, however many processes ask at the same time."""

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from gateway.store.database import Database

# Any constant will do; it only has to be the same in every process.
MIGRATION_LOCK = 0x67617465


def migrate(database: Database) -> None:
    """Apply every missing migration inside one transaction: all of them or none."""
    config = Config()
    config.set_main_option("script_location", "gateway.store:migrations")
    with database.engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
