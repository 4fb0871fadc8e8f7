"""What is remembered of accepted records for CT-094 and CT-104 to CT-106, under the pepper.

Revision: 0006, after 0005.

Submissions before this migration are sealed and cannot be looked into: their cases link with none.

A submission that is withdrawn, destroyed or replaced is forgotten by a trigger, in the transaction
that says so. It acts as its owner: the web process withdraws, and has no right to these tables.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

LINKAGE = """
CREATE TABLE remembered_record (
    submission_id uuid NOT NULL REFERENCES submission,
    record        bytea NOT NULL,
    about         bytea NOT NULL,
    facts         bytea NOT NULL,
    PRIMARY KEY (submission_id, record)
);
CREATE INDEX remembered_record_record_idx ON remembered_record (record);
CREATE INDEX remembered_record_about_idx ON remembered_record (about);
CREATE TABLE linkage_token (
    token         bytea NOT NULL,
    submission_id uuid NOT NULL,
    record        bytea NOT NULL,
    PRIMARY KEY (token, submission_id, record),
    FOREIGN KEY (submission_id, record) REFERENCES remembered_record ON DELETE CASCADE
);
CREATE INDEX linkage_token_submission_id_record_idx ON linkage_token (submission_id, record);
CREATE TABLE linkage_pepper (
    single     boolean PRIMARY KEY DEFAULT true,
    name       bytea NOT NULL,
    used_since timestamptz NOT NULL,
    CONSTRAINT linkage_pepper_single_check CHECK (single)
);
CREATE FUNCTION forget_links() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    DELETE FROM public.remembered_record WHERE submission_id = NEW.id;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION forget_links() FROM PUBLIC;
CREATE TRIGGER submission_forgets_links AFTER UPDATE OF state, superseded_by ON submission
    FOR EACH ROW
    WHEN (NEW.superseded_by IS NOT NULL OR NEW.state IN ('withdrawn', 'destroyed'))
    EXECUTE FUNCTION forget_links();
"""


def upgrade() -> None:
    """Add three tables, and the trigger that forgets."""
    op.execute(LINKAGE)


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("The gateway only migrates forward; restore a backup to go back.")
