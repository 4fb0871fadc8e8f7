"""Dry runs: uploads that are judged and not counted.

Revision: 0005, after 0003.

Tables of their own, so that no release, held record, package or replacement can refer to one: each
of these has a foreign key to `submission`. They may be removed, which a submission may not.
"""

from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None

DRY_RUNS = """
CREATE TABLE dry_run (
    id              uuid PRIMARY KEY,
    agency_id       text NOT NULL REFERENCES agency,
    state           text NOT NULL,
    sha256          text NOT NULL,
    size            bigint NOT NULL,
    received_at     timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    settled_at      timestamptz,
    event_id        uuid NOT NULL UNIQUE,
    package_id      uuid,
    submission_type text,
    period_start    date,
    period_end      date,
    standard        text,
    records         integer,
    error_code      text,
    report          jsonb,
    report_key      text,
    signer          text,
    signing_key     text,
    recipient_key   text,
    UNIQUE (agency_id, sha256),
    CONSTRAINT dry_run_state_check CHECK (state IN ('received', 'checked', 'rejected', 'failed')),
    CONSTRAINT dry_run_settled_check CHECK ((state = 'received') = (settled_at IS NULL))
);
CREATE INDEX dry_run_agency_id_received_at_idx ON dry_run (agency_id, received_at);
CREATE INDEX dry_run_state_received_at_idx ON dry_run (state, received_at);
CREATE INDEX dry_run_expires_at_idx ON dry_run (expires_at);
CREATE TABLE dry_run_key (
    agency_id  text NOT NULL REFERENCES agency,
    key        text NOT NULL,
    dry_run_id uuid NOT NULL REFERENCES dry_run ON DELETE CASCADE,
    PRIMARY KEY (agency_id, key)
);
CREATE INDEX dry_run_key_dry_run_id_idx ON dry_run_key (dry_run_id);
"""


def upgrade() -> None:
    """Add two tables."""
    op.execute(DRY_RUNS)


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("The gateway only migrates forward; restore a backup to go back.")
