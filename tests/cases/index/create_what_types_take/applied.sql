SELECT count(*) = 11 FROM pg_indexes WHERE schemaname = 'public' AND tablename = 'docs';
