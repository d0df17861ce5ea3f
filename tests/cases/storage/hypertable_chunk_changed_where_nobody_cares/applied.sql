SELECT count(*) = 1 FROM pg_class WHERE reloptions = ARRAY['fillfactor=80'];
