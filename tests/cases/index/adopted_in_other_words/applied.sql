SELECT count(*) = 2 FROM pg_indexes WHERE tablename = 'orders';
