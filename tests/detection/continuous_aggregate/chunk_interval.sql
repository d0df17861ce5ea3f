SELECT set_chunk_time_interval('public.hourly', INTERVAL '5 days');
