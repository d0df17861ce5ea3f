SELECT count(*) = 0 FROM public.hourly;
