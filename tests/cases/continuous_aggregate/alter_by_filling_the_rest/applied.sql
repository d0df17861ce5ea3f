SELECT count(*) = 240 FROM public.hourly;
