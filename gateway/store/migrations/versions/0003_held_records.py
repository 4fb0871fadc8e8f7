"""Which records of an agency are held, by the random ids that the agency made (CT-025, CT-026).

Revision: 0003, after 0002.

Ids alone: what a record says is sealed. Records of submissions before this migration are not listed
and can be sent as new once more.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

HELD_RECORDS = """
CREATE TABLE held_record (
    agency_id     text NOT NULL REFERENCES agency,
    record_id     uuid NOT NULL,
    submission_id uuid NOT NULL REFERENCES submission,
    record_type   text NOT NULL,
    PRIMARY KEY (agency_id, record_id, submission_id)
);
"""


def upgrade() -> None:
    """Add one table."""
    op.execute(HELD_RECORDS)


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("The gateway only migrates forward; restore a backup to go back.")
