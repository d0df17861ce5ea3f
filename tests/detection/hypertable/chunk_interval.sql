SELECT public.set_chunk_time_interval('public.events', 3600);
