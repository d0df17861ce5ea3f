SELECT count(*) = 4 FROM pg_indexes WHERE schemaname = 'public' AND tablename = 'ticks';
