ALTER SYSTEM RESET log_autovacuum_min_duration;
ALTER SYSTEM RESET autovacuum_vacuum_cost_delay;
SELECT pg_reload_conf();
