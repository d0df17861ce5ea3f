SELECT count(*) = 3, sum(n) = (7 + 4 + 5) * 24 FROM public.weekly;
SELECT NOT EXISTS (SELECT FROM public.weekly WHERE bucket = '2020-01-20 00:00+00');
SELECT n = 4 * 24 FROM public.weekly WHERE bucket = '2020-01-13 00:00+00';
