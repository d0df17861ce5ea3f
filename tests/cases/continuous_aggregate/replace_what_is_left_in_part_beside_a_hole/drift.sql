SELECT drop_chunks('public.trades', older_than => TIMESTAMPTZ '2020-01-29 00:00+00', newer_than => TIMESTAMPTZ '2020-01-17 00:00+00');
