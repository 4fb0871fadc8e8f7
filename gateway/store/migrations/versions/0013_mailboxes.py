"""Mailboxes: where receipts and reports of an agency are mailed to.

Revision: 0013, after 0012.

A table of its own, so that only those roles see an address that set one or send to it.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MAILBOXES = """
CREATE TABLE agency_mailbox (
    agency_id text PRIMARY KEY REFERENCES agency,
    address   text NOT NULL,
    set_at    timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Add a table."""
    op.execute(MAILBOXES)


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("The gateway only migrates forward; restore a backup to go back.")
