SELECT set_chunk_time_interval('public.events', INTERVAL '7 days');
