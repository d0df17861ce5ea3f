SELECT count(*) = 2 FROM pg_extension WHERE extname IN ('cube', 'earthdistance');
