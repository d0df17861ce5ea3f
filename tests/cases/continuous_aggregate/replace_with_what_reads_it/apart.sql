CALL refresh_continuous_aggregate('app.hourly', NULL, NULL);
CALL refresh_continuous_aggregate('app.daily', NULL, NULL);
CALL refresh_continuous_aggregate('app.weekly', NULL, NULL);
SELECT drop_chunks('public.trades', timestamptz '2026-01-05 00:00+00');
