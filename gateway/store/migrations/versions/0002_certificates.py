"""What is needed over a certificate's life: warnings given once, and which keys were used for what.

Revision: 0002, after 0001.

The new columns of a submission are empty where it was processed before this migration.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WARNINGS = """
CREATE TABLE certificate_warning (
    fingerprint text NOT NULL REFERENCES certificate,
    expires_at  timestamptz NOT NULL,
    days        integer NOT NULL,
    given_at    timestamptz NOT NULL,
    PRIMARY KEY (fingerprint, expires_at, days)
);
"""

KEYS_USED = """
ALTER TABLE submission
    ADD COLUMN signer        text,
    ADD COLUMN signing_key   text,
    ADD COLUMN recipient_key text,
    ADD COLUMN vault_keys    text[];
CREATE INDEX submission_signer_idx ON submission (signer);
"""


def upgrade() -> None:
    """Add one table and four columns."""
    for script in (WARNINGS, KEYS_USED):
        op.execute(script)


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("The gateway only migrates forward; restore a backup to go back.")
