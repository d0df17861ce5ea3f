-- Cut off, and then two chunks went that had been filled already, one of them in the middle.
CALL refresh_continuous_aggregate('public.hourly', '2026-01-03 00:00+00', NULL);
SELECT drop_chunks('public.trades', TIMESTAMPTZ '2026-01-04 00:00+00', TIMESTAMPTZ '2026-01-03 00:00+00');
SELECT drop_chunks('public.trades', TIMESTAMPTZ '2026-01-10 00:00+00', TIMESTAMPTZ '2026-01-09 00:00+00');
INSERT INTO public.trades VALUES ('2026-01-15 01:30+00', 'b', 1);
