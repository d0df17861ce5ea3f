-- The week that lost two days is as it was, and the last one, which no chunk of is gone, has what came late.
SELECT string_agg(trades::text, ' ' ORDER BY week) = '120 96 120 120 120 120 120 121' FROM public.weekly;
SELECT string_agg(trades::text, ' ' ORDER BY week) = '120 96 120 120 120 120 120 120' FROM public.from_sunday;
-- January begins in UTC on the day before.
SELECT string_agg(trades::text, ' ' ORDER BY month) = '456 480' FROM public.monthly;
SELECT NOT EXISTS (SELECT FROM pg_description WHERE description LIKE 'chronoform%');
