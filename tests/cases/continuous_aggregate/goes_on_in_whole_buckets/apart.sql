-- Cut off; then two days go in the middle of a week, and rows come late.
CALL refresh_continuous_aggregate('public.weekly', '2026-02-02 00:00+00', NULL);
CALL refresh_continuous_aggregate('public.from_sunday', '2026-02-01 00:00+00', NULL);
CALL refresh_continuous_aggregate('public.monthly', '2026-01-31 23:00+00', NULL);
SELECT drop_chunks('public.trades', TIMESTAMPTZ '2026-02-13 00:00+00', TIMESTAMPTZ '2026-02-11 00:00+00');
INSERT INTO public.trades VALUES ('2026-02-10 01:30+00', 1);
INSERT INTO public.trades VALUES ('2026-02-25 01:30+00', 1);
