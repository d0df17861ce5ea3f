SELECT count(*) = 0 FROM pg_indexes WHERE indexdef LIKE '%(symbol)';
