CALL refresh_continuous_aggregate('public.hourly', NULL, NULL);
CALL refresh_continuous_aggregate('public.daily', NULL, NULL);
CALL refresh_continuous_aggregate('public.weekly', NULL, NULL);
CALL refresh_continuous_aggregate('public.by_hand', NULL, NULL);
SELECT drop_chunks('public.trades', older_than => timestamptz '2020-01-08 00:00+00');
