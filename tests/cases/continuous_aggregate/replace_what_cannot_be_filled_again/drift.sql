SELECT drop_chunks('public.trades', TIMESTAMPTZ '2020-01-03 00:00+00');
CREATE INDEX ix_by_hand ON public.hourly (price);
SELECT add_retention_policy('public.hourly', INTERVAL '10000 days');
