SELECT count(*) = 0 FROM pg_extension WHERE extname = 'hstore';
