CALL refresh_continuous_aggregate('public.by_ten', NULL, NULL);
CALL refresh_continuous_aggregate('public.by_fifty', NULL, NULL);
SELECT drop_chunks('public.ticks', older_than => 500);
SELECT drop_chunks('public.by_ten', older_than => 300);
