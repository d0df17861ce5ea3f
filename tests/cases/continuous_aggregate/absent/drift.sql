SELECT add_retention_policy('public.hourly', INTERVAL '10000 days');
