CALL refresh_continuous_aggregate('public.hourly', NULL, NULL);
-- Nothing of this is to be filled again: it would take away what the aggregate alone still has.
SELECT drop_chunks('public.trades', timestamptz '2020-01-03 00:00+00');
INSERT INTO public.trades VALUES (timestamptz '2020-01-04 00:10+00', 'S9', 'X', 1, 1);
CALL refresh_continuous_aggregate('public.hourly', '2020-01-04 00:00+00', NULL);
