SELECT drop_chunks('public.trades', TIMESTAMPTZ '2020-01-08 00:00+00');
