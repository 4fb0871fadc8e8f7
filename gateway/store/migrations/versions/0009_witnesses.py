"""Publications: checkpoints as everybody sees them, cosigned by enough witnesses.

Revision: 0009, after 0008.

What the sequencer signed stands in log_checkpoint as before. A row here is what was published; it
is never changed or removed either.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PUBLICATIONS = """
CREATE TABLE log_publication (
    size         bigint PRIMARY KEY,
    note         bytea NOT NULL,
    published_at timestamptz NOT NULL
);
CREATE TRIGGER log_publication_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON log_publication
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    """Add a table."""
    op.execute(PUBLICATIONS)


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("The gateway only migrates forward; restore a backup to go back.")
