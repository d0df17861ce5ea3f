DO $$
DECLARE chunk regclass;
BEGIN
    SELECT c INTO chunk FROM show_chunks('public.ticks') AS c ORDER BY c LIMIT 1;
    EXECUTE format('ALTER TABLE %s RESET (fillfactor)', chunk);
END $$;
