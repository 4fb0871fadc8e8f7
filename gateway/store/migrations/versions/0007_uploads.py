"""Resumable uploads: how much of each has arrived, and where it is.

Revision: 0007, after 0006.

An upload is no submission yet: it has no state that counts, and is removed when it expires. Of what
it was called on its sender's machine nothing is kept.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UPLOADS = """
CREATE TABLE upload (
    id            uuid PRIMARY KEY,
    agency_id     text NOT NULL REFERENCES agency,
    must_replace  uuid REFERENCES submission,
    length        bigint,
    received      bigint NOT NULL DEFAULT 0,
    writer        integer NOT NULL DEFAULT 0,
    next_part     integer NOT NULL DEFAULT 1,
    multipart     text,
    tail          text,
    tail_size     integer NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    submission_id uuid REFERENCES submission,
    CONSTRAINT upload_length_check CHECK (length >= 0),
    CONSTRAINT upload_received_check CHECK (received BETWEEN 0 AND coalesce(length, received)),
    CONSTRAINT upload_tail_check CHECK ((tail IS NULL) = (tail_size = 0))
);
CREATE INDEX upload_agency_id_idx ON upload (agency_id);
CREATE INDEX upload_expires_at_idx ON upload (expires_at);
CREATE TABLE upload_part (
    upload_id uuid NOT NULL REFERENCES upload ON DELETE CASCADE,
    number    integer NOT NULL,
    etag      text NOT NULL,
    sha256    text NOT NULL,
    size      integer NOT NULL,
    PRIMARY KEY (upload_id, number)
);
"""


def upgrade() -> None:
    """Add two tables."""
    op.execute(UPLOADS)


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("The gateway only migrates forward; restore a backup to go back.")
