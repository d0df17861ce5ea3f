SELECT count(*) = 4, sum(n) = 26 * 24 FROM public.weekly;
SELECT n = 5 * 24 FROM public.weekly WHERE bucket = '2020-01-20 00:00+00';
