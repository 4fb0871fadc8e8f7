"""SSH keys: with which of them an agency's people and programs come over SFTP.

Revision: 0008, after 0007.

A key has a day on which it ends, and a key that was ever known is never known anew to another.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SSH_KEYS = """
CREATE TABLE ssh_key (
    id          uuid PRIMARY KEY,
    fingerprint text NOT NULL UNIQUE,
    public_key  text NOT NULL,
    subject     text NOT NULL,
    agency_id   text NOT NULL REFERENCES agency,
    added_at    timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz
);
CREATE INDEX ssh_key_agency_id_idx ON ssh_key (agency_id);
"""


def upgrade() -> None:
    """Add a table."""
    op.execute(SSH_KEYS)


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("The gateway only migrates forward; restore a backup to go back.")
