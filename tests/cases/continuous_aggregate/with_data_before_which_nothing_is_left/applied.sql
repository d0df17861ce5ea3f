SELECT count(*) = 192 FROM public.hourly;
