SELECT count(*) = 3 FROM pg_indexes WHERE tablename = 'orders';
