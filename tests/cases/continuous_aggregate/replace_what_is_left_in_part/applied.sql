SELECT count(*) = 2, min(n) = 5 * 24, max(n) = 7 * 24 FROM public.weekly;
SELECT min(bucket) = '2020-01-06 00:00+00' FROM public.weekly;
