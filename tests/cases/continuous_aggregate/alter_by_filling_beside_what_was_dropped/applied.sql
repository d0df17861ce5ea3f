SELECT count(*) = 240 FROM public.hourly;
SELECT count(*) = 48 FROM public.hourly WHERE bucket >= '2020-01-03 00:00+00' AND bucket < '2020-01-04 00:00+00';
