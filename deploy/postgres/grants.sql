-- What each role may do, whole and exact: whatever is not here is withdrawn.
-- Run as gateway_owner in the gateway's database after every `gateway migrate`:
--
--     sudo -u gateway_owner psql -d gateway -v ON_ERROR_STOP=1 -1 -f grants.sql
--
-- Nobody may change or remove a leaf, a tile, a checkpoint or a timestamp of the audit log: no role holds the
-- right, and triggers refuse it to the owner too (migration 0001). Only the sequencer adds to the
-- log and takes from the outbox. Only an administrator makes tokens and enrols certificates, so a
-- web process in an attacker's hands can do neither.

DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I'
        ' TO gateway_web, gateway_sftp, gateway_worker, gateway_sequencer, gateway_mirror,'
        ' gateway_admin',
        current_database()
    );
END
$$;
REVOKE ALL ON ALL TABLES IN SCHEMA public
    FROM PUBLIC, gateway_web, gateway_sftp, gateway_worker, gateway_sequencer, gateway_mirror,
        gateway_admin;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public
    FROM PUBLIC, gateway_web, gateway_sftp, gateway_worker, gateway_sequencer, gateway_mirror,
        gateway_admin;

-- web: receives, shows, withdraws; asks for and decides on releases.
GRANT SELECT ON agency, certificate, access_token TO gateway_web;
GRANT SELECT, INSERT ON submission TO gateway_web;
GRANT UPDATE (state, settled_at) ON submission TO gateway_web;
GRANT SELECT, INSERT ON submission_transition, idempotency_key TO gateway_web;
GRANT SELECT, INSERT ON dry_run, dry_run_key TO gateway_web;
GRANT SELECT, INSERT, UPDATE, DELETE ON upload TO gateway_web;
GRANT SELECT, INSERT ON upload_part TO gateway_web;
GRANT SELECT, INSERT ON release, release_item TO gateway_web;
GRANT UPDATE (state, decided_by, decided_at) ON release TO gateway_web;
GRANT SELECT, INSERT ON audit_outbox TO gateway_web;
GRANT SELECT, INSERT, UPDATE (next) ON agency_counter TO gateway_web;
GRANT SELECT ON log_leaf, log_tile, log_checkpoint, log_publication, log_timestamp TO gateway_web;

-- sftp: receives, and lays out reports and receipts. It withdraws nothing and knows no token.
GRANT SELECT ON agency, ssh_key TO gateway_sftp;
GRANT SELECT, INSERT ON submission, submission_transition TO gateway_sftp;
GRANT SELECT, INSERT ON dry_run, dry_run_key TO gateway_sftp;
GRANT SELECT, INSERT ON audit_outbox TO gateway_sftp;
GRANT SELECT, INSERT, UPDATE (next) ON agency_counter TO gateway_sftp;
GRANT SELECT ON log_leaf, log_tile, log_checkpoint, log_publication TO gateway_sftp;

-- worker: brings submissions to their end; signs manifests; removes dry runs and uploads. Who sent what, when,
-- stays as it is.
GRANT SELECT ON agency, agency_mailbox, certificate TO gateway_worker;
GRANT SELECT ON submission TO gateway_worker;
GRANT UPDATE (
    state, settled_at, package_id, submission_type, period_start, period_end, standard, error_code,
    report, report_key, sealed_key, sealed_sha256, sealed_size, records, superseded_by,
    signer, signing_key, recipient_key, vault_keys
) ON submission TO gateway_worker;
GRANT SELECT, INSERT ON submission_transition, package, held_record TO gateway_worker;
GRANT SELECT, DELETE ON dry_run TO gateway_worker;
GRANT SELECT, DELETE ON upload TO gateway_worker;
GRANT UPDATE (
    state, settled_at, package_id, submission_type, period_start, period_end, standard, records,
    error_code, report, report_key, signer, signing_key, recipient_key
) ON dry_run TO gateway_worker;
GRANT SELECT, INSERT ON certificate_warning TO gateway_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON given_up_mail TO gateway_worker;
-- Linkage, which no other role sees. What a withdrawal or a replacement takes away a trigger removes.
GRANT SELECT, INSERT, DELETE ON remembered_record TO gateway_worker;
GRANT SELECT, INSERT ON linkage_token, linkage_pepper TO gateway_worker;
GRANT SELECT ON release, release_item TO gateway_worker;
GRANT UPDATE (manifest, signature) ON release TO gateway_worker;
GRANT SELECT, INSERT ON audit_outbox TO gateway_worker;
GRANT SELECT, INSERT, UPDATE (next) ON agency_counter TO gateway_worker;
GRANT SELECT ON log_leaf, log_tile, log_checkpoint, log_publication TO gateway_worker;

-- sequencer: from the outbox into the log, and nothing else.
GRANT SELECT, DELETE ON audit_outbox TO gateway_sequencer;
GRANT SELECT, INSERT ON log_leaf, log_tile, log_checkpoint, log_publication, log_timestamp
    TO gateway_sequencer;

-- mirror: reads entries and checkpoints, and writes nothing. It hashes by itself.
GRANT SELECT (index, entry) ON log_leaf TO gateway_mirror;
GRANT SELECT (size, note) ON log_checkpoint, log_publication TO gateway_mirror;

-- admin: agencies, certificates and tokens. No report, no entry of the log; of submissions only which
-- keys they had to do with, to be able to say after a theft what is touched by it. The ids of events
-- it may compare, to say which act has no entry.
GRANT SELECT, INSERT ON agency, certificate, access_token, ssh_key TO gateway_admin;
GRANT SELECT, INSERT, DELETE ON agency_mailbox TO gateway_admin;
GRANT UPDATE (address, set_at) ON agency_mailbox TO gateway_admin;
GRANT UPDATE (suspended_at) ON agency TO gateway_admin;
GRANT UPDATE (data, expires_at, revoked_at) ON certificate TO gateway_admin;
GRANT SELECT (
    id, agency_id, received_at, state, event_id,
    signer, signing_key, recipient_key, vault_keys, report_key
) ON submission TO gateway_admin;
GRANT SELECT (
    id, agency_id, received_at, state, signer, signing_key, recipient_key, report_key
) ON dry_run TO gateway_admin;
GRANT UPDATE (revoked_at) ON access_token, ssh_key TO gateway_admin;
GRANT INSERT, SELECT (id, event_id) ON audit_outbox TO gateway_admin;
GRANT SELECT, INSERT, UPDATE (next) ON agency_counter TO gateway_admin;
GRANT SELECT (index, event_id) ON log_leaf TO gateway_admin;
GRANT SELECT (id, submission_id, to_state, event_id) ON submission_transition TO gateway_admin;

-- The job queue: web and SFTP processes add, workers do the rest.
GRANT SELECT, INSERT ON procrastinate_jobs TO gateway_web, gateway_sftp;
GRANT INSERT ON procrastinate_events TO gateway_web, gateway_sftp;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON procrastinate_jobs, procrastinate_events, procrastinate_workers, procrastinate_periodic_defers
    TO gateway_worker;
DO $$
DECLARE
    found text;
BEGIN
    -- Its columns count by sequences of their own; those of the gateway's tables need no right.
    FOR found IN
        SELECT sequencename FROM pg_sequences
        WHERE schemaname = 'public' AND sequencename LIKE 'procrastinate%'
    LOOP
        EXECUTE format('GRANT USAGE ON SEQUENCE %I TO gateway_web, gateway_sftp, gateway_worker', found);
    END LOOP;
END
$$;
