SELECT count(*) = 120 FROM public.hourly;
SELECT count(*) = 5 FROM public.daily;
