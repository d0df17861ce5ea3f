SELECT extversion IS NOT NULL FROM pg_extension WHERE extname = 'hstore';
