-- The database's roles: one for each kind of process, none with a power that it does not use.
-- Run once as PostgreSQL's superuser, before the database is made; running it again does no harm:
--
--     psql -d postgres -f roles.sql
--     createdb -O gateway_owner gateway
--
-- On one machine the roles log in by peer authentication, as the system users of the same names
-- (deploy/systemd/sysusers.conf), and need no password. For a database on another machine, give each
-- one its own with \password; it is then sent over TLS only (DATABASE_URL with sslmode=verify-full).

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'gateway_owner', 'gateway_web', 'gateway_sftp', 'gateway_worker', 'gateway_sequencer',
        'gateway_mirror', 'gateway_admin'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I', wanted);
        END IF;
        EXECUTE format(
            'ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS',
            wanted
        );
    END LOOP;
END
$$;
