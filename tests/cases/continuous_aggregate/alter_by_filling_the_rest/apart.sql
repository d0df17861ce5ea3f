-- As a fill leaves it that was cut off: it goes from the newest to the oldest.
CALL refresh_continuous_aggregate('public.hourly', '2020-01-03 12:00+00', NULL);
