"""The first schema: agencies, tokens, submissions, releases, jobs and the audit log.

Revision: 0001, the first.

Written as SQL, so that whoever runs the database can read what they are asked to run. The database
itself refuses what must never happen: a changed or removed leaf, tile, checkpoint or transition, a
release decided by the person who asked for it, two submissions with the same bytes of one agency.
"""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

AGENCIES = """
CREATE TABLE agency (
    agency_id    text PRIMARY KEY,
    name         text NOT NULL,
    agency_type  text NOT NULL,
    area         text NOT NULL,
    enrolled_at  timestamptz NOT NULL,
    suspended_at timestamptz
);
CREATE TABLE certificate (
    fingerprint text PRIMARY KEY,
    agency_id   text NOT NULL REFERENCES agency,
    data        bytea NOT NULL,
    expires_at  timestamptz,
    added_at    timestamptz NOT NULL,
    revoked_at  timestamptz
);
CREATE INDEX certificate_agency_id_idx ON certificate (agency_id);
CREATE TABLE access_token (
    id            uuid PRIMARY KEY,
    secret_sha256 bytea NOT NULL UNIQUE,
    subject       text NOT NULL,
    role          text NOT NULL,
    scopes        text[] NOT NULL,
    agency_id     text REFERENCES agency,
    issued_at     timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    revoked_at    timestamptz
);
"""

SUBMISSIONS = """
CREATE TABLE submission (
    id              uuid PRIMARY KEY,
    agency_id       text NOT NULL REFERENCES agency,
    channel         text NOT NULL,
    state           text NOT NULL,
    sha256          text NOT NULL,
    size            bigint NOT NULL,
    received_at     timestamptz NOT NULL,
    settled_at      timestamptz,
    event_id        uuid NOT NULL UNIQUE,
    package_id      uuid,
    submission_type text,
    period_start    date,
    period_end      date,
    standard        text,
    error_code      text,
    report          jsonb,
    report_key      text,
    sealed_key      text,
    sealed_sha256   text,
    sealed_size     bigint,
    records         integer,
    must_replace    uuid REFERENCES submission,
    superseded_by   uuid REFERENCES submission,
    UNIQUE (agency_id, sha256)
);
CREATE INDEX submission_agency_id_received_at_idx ON submission (agency_id, received_at);
CREATE INDEX submission_state_received_at_idx ON submission (state, received_at);
CREATE TABLE submission_transition (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    submission_id uuid NOT NULL REFERENCES submission,
    from_state    text,
    to_state      text NOT NULL,
    moved_at      timestamptz NOT NULL,
    event_id      uuid NOT NULL UNIQUE
);
CREATE INDEX submission_transition_submission_id_idx ON submission_transition (submission_id);
CREATE TABLE package (
    agency_id      text NOT NULL REFERENCES agency,
    package_id     uuid NOT NULL,
    submission_id  uuid NOT NULL REFERENCES submission,
    first_received timestamptz NOT NULL,
    PRIMARY KEY (agency_id, package_id)
);
CREATE INDEX package_submission_id_idx ON package (submission_id);
CREATE TABLE idempotency_key (
    agency_id     text NOT NULL REFERENCES agency,
    key           text NOT NULL,
    submission_id uuid NOT NULL REFERENCES submission,
    used_at       timestamptz NOT NULL,
    PRIMARY KEY (agency_id, key)
);
"""

RELEASES = """
CREATE TABLE release (
    id           uuid PRIMARY KEY,
    name         text NOT NULL UNIQUE,
    purpose      text NOT NULL,
    state        text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    decided_by   text,
    decided_at   timestamptz,
    manifest     bytea,
    signature    text,
    CONSTRAINT release_two_people_check CHECK (decided_by <> requested_by)
);
CREATE TABLE release_item (
    release_id    uuid NOT NULL REFERENCES release,
    submission_id uuid NOT NULL REFERENCES submission,
    PRIMARY KEY (release_id, submission_id)
);
CREATE INDEX release_item_submission_id_idx ON release_item (submission_id);
"""

LOG = """
CREATE TABLE audit_outbox (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    entry    bytea NOT NULL
);
CREATE TABLE log_leaf (
    index     bigint PRIMARY KEY,
    event_id  uuid NOT NULL UNIQUE,
    entry     bytea NOT NULL,
    leaf_hash bytea NOT NULL
);
CREATE TABLE log_tile (
    level  integer NOT NULL,
    number bigint NOT NULL,
    hashes bytea NOT NULL,
    root   bytea NOT NULL,
    PRIMARY KEY (level, number)
);
CREATE TABLE log_checkpoint (
    size      bigint PRIMARY KEY,
    note      bytea NOT NULL,
    signed_at timestamptz NOT NULL
);
"""

REFUSAL = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;
"""

# Statement triggers, because a row trigger does not see TRUNCATE.
KEPT = ("log_leaf", "log_tile", "log_checkpoint", "submission_transition")
GUARD = """
CREATE TRIGGER {table}_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    """Create everything."""
    guards = "".join(GUARD.format(table=table) for table in KEPT)
    for script in (AGENCIES, SUBMISSIONS, RELEASES, LOG, REFUSAL, guards):
        op.execute(script)
    # The schema of the job library as it was released; later versions bring their own migrations.
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("The gateway only migrates forward; restore a backup to go back.")
