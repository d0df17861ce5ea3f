CALL refresh_continuous_aggregate('public.hourly', NULL, NULL);
CALL refresh_continuous_aggregate('public."Daily ""d"""', NULL, NULL);
CALL refresh_continuous_aggregate('public.weekly', NULL, NULL);
SELECT drop_chunks('public.trades', TIMESTAMPTZ '2026-01-03 00:00+00');
SELECT drop_chunks('public.trades', TIMESTAMPTZ '2026-01-10 00:00+00', TIMESTAMPTZ '2026-01-08 00:00+00');
