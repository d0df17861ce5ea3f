SELECT (SELECT count(*) FROM public.hourly) = 458, (SELECT count(*) FROM public.hourly WHERE symbol = 'b') = 1, (SELECT count(*) FROM public.daily) = 21;
SELECT NOT EXISTS (SELECT FROM pg_description WHERE description LIKE 'chronoform%');
