CALL refresh_continuous_aggregate('public.daily', NULL, '2020-01-09 00:00+00');
SELECT drop_chunks('public.trades', older_than => timestamptz '2020-01-05 00:00+00');
SELECT drop_chunks('public.trades', newer_than => timestamptz '2020-01-07 00:00+00', older_than => timestamptz '2020-01-08 00:00+00');
