CALL refresh_continuous_aggregate('public.hourly', NULL, NULL);
CALL refresh_continuous_aggregate('public.daily', NULL, NULL);
