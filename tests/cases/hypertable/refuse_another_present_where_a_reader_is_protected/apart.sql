CALL refresh_continuous_aggregate('public.by_ten', NULL, NULL);
CALL refresh_continuous_aggregate('public.by_hundred', NULL, NULL);
SELECT drop_chunks('public.events', older_than => 500);
-- By the first function the window begins at 600, and by the other at 300: of that time there are no events any more.
CALL refresh_continuous_aggregate('public.by_twenty', 500, NULL);
