CALL public.refresh_continuous_aggregate('public.hourly', NULL, NULL);
CALL public.refresh_continuous_aggregate('public.daily', NULL, NULL);
