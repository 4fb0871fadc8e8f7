"""Counters: how many entries of the audit log are about each agency.

Revision: 0012, after 0010.

The number of an entry comes from here, in the transaction that writes it. A counter that went down
would give a number twice, and one that is removed begins anew: the database refuses both, and its
owner, who can remove the trigger, is shown by the log. No foreign key: an entry must not wait for
the row of its agency once it has its number.
"""

from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

COUNTERS = """
CREATE TABLE agency_counter (
    agency_id text PRIMARY KEY,
    next      bigint NOT NULL CHECK (next > 0)
);
CREATE FUNCTION refuse_counting_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the counter of an agency only rises'
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER agency_counter_rises BEFORE UPDATE ON agency_counter
    FOR EACH ROW WHEN (NEW.next <= OLD.next OR NEW.agency_id <> OLD.agency_id)
    EXECUTE FUNCTION refuse_counting_back();
CREATE TRIGGER agency_counter_is_kept BEFORE DELETE OR TRUNCATE ON agency_counter
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    """Add a table."""
    op.execute(COUNTERS)


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("The gateway only migrates forward; restore a backup to go back.")
