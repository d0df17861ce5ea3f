SELECT drop_chunks('public.trades', older_than => TIMESTAMPTZ '2020-01-24 00:00+00', newer_than => TIMESTAMPTZ '2020-01-22 00:00+00');
