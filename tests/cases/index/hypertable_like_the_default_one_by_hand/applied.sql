SELECT count(*) = 1 FROM pg_indexes WHERE schemaname = 'public' AND tablename = 'trades';
