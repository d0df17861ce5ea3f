ALTER SYSTEM RESET bgwriter_delay;
SELECT pg_reload_conf();
