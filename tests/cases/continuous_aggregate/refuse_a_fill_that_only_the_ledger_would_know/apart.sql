CALL public.refresh_continuous_aggregate('public.hourly', NULL, NULL);
CALL public.refresh_continuous_aggregate('public.mean', NULL, NULL);
CALL public.refresh_continuous_aggregate('public.daily', NULL, NULL);
CALL public.refresh_continuous_aggregate('public.monthly', NULL, NULL);
CALL public.refresh_continuous_aggregate('public.weekly', NULL, NULL);
