CALL refresh_continuous_aggregate('public.hourly', '2020-01-02 00:00+00', NULL);
-- The chunks at the first bucket go, the aggregate keeps what came from them, and a row of long ago comes.
SELECT drop_chunks('public.trades', timestamptz '2020-01-04 00:00+00');
INSERT INTO public.trades VALUES (timestamptz '1970-01-01 00:10+00', 'S9', 'X', 1, 1);
CALL refresh_continuous_aggregate('public.hourly', '2020-01-04 00:00+00', NULL);
