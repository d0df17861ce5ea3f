CREATE TABLE public.trades (time timestamptz NOT NULL, order_id bigint, settled date, batch int);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
SELECT enable_chunk_skipping('public.trades', c)
  FROM set_config('timescaledb.enable_chunk_skipping', 'on', true), unnest('{order_id,settled}'::text[]) AS c;
INSERT INTO public.trades VALUES ('2026-01-01 00:00+00', 1, '2026-01-03', 7);
