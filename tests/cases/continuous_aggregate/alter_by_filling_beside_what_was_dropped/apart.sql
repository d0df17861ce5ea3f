-- All but the first day and the last is filled; then a day in the middle is touched, and goes.
CALL refresh_continuous_aggregate('public.hourly', '2020-01-02 00:00+00', '2020-01-05 00:00+00');
UPDATE public.trades SET volume = volume + 1 WHERE time >= '2020-01-03 00:00+00' AND time < '2020-01-04 00:00+00';
SELECT drop_chunks('public.trades', older_than => TIMESTAMPTZ '2020-01-04 00:00+00', newer_than => TIMESTAMPTZ '2020-01-03 00:00+00');
