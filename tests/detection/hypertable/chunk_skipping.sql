SET timescaledb.enable_chunk_skipping = on;
SELECT disable_chunk_skipping('public.ticks', 'order_id');
SELECT enable_chunk_skipping('public.ticks', 'trade_id');
