"""Mails that were given up, until an operator has them sent again.

Revision: 0014, after 0013.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

GIVEN_UP = """
CREATE TABLE given_up_mail (
    submission_id uuid PRIMARY KEY REFERENCES submission,
    error_code    text NOT NULL,
    given_up_at   timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Add a table."""
    op.execute(GIVEN_UP)


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("The gateway only migrates forward; restore a backup to go back.")
