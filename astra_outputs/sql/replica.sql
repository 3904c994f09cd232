-- Whether the server that is read from follows the one that is written to.

-- name: which_database
-- What a database is on its server, which a copy of the server has as well, and whether the server is a copy that
-- follows another one.
select
    pg_database.oid as database,
    pg_is_in_recovery() as follows,
    has_function_privilege('pg_catalog.pg_control_system()', 'execute') as may_ask
from pg_database
where pg_database.datname = current_database();

-- name: which_server
-- The number that a server got when it was made, which each copy of it keeps.
select system_identifier from pg_control_system();
