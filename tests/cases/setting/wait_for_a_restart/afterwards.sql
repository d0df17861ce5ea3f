ALTER SYSTEM RESET max_locks_per_transaction;
SELECT pg_reload_conf();
