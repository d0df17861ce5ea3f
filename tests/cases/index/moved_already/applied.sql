SELECT array_agg(indexname::text ORDER BY indexname) = '{made,new}' FROM pg_indexes WHERE tablename = 'events';
