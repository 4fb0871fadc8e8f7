"""Timestamps: what authorities said of published checkpoints.

Revision: 0010, after 0009.

The note is kept with the token, since a checkpoint can be published again under the same size with
more cosignatures, and a token is over one spelling. A row is never changed or removed.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TIMESTAMPS = """
CREATE TABLE log_timestamp (
    size        bigint NOT NULL,
    authority   text NOT NULL,
    note        bytea NOT NULL,
    token       bytea NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (size, authority)
);
CREATE TRIGGER log_timestamp_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON log_timestamp
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    """Add a table."""
    op.execute(TIMESTAMPS)


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("The gateway only migrates forward; restore a backup to go back.")
