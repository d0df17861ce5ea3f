CALL refresh_continuous_aggregate('public.by_ten', NULL, NULL);
