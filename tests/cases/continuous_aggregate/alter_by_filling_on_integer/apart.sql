CALL refresh_continuous_aggregate('public.hourly', 300, 800);
UPDATE public.ticks SET price = price + 1 WHERE at >= 500 AND at < 600;
SELECT drop_chunks('public.ticks', older_than => 600, newer_than => 500);
