SELECT count(*) = 241 FROM public.hourly;
