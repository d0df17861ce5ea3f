SELECT public.enable_chunk_skipping('public.events', 'venue'), public.disable_chunk_skipping('public.events', 'order_id')
  FROM set_config('timescaledb.enable_chunk_skipping', 'on', true);
