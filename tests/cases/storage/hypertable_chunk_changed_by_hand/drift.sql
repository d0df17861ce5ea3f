DO $$
DECLARE chunk regclass;
BEGIN
    SELECT c INTO chunk FROM show_chunks('public.ticks') AS c ORDER BY c LIMIT 1;
    EXECUTE format('ALTER TABLE %s SET (fillfactor = 20, parallel_workers = 3), RESET (autovacuum_enabled)', chunk);
END $$;
