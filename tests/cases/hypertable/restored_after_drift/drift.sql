SELECT set_chunk_time_interval('public.trades', INTERVAL '3 days');
