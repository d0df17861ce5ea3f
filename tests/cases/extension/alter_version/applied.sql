SELECT extversion = '1.8' FROM pg_extension WHERE extname = 'hstore';
