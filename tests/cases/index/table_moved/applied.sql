SELECT array_agg(indexname::text) = '{ix_symbol}' FROM pg_indexes WHERE tablename = 'Ticks';
SELECT reloptions = '{fillfactor=80}' FROM pg_class WHERE oid = 'app."Ticks"'::regclass;
