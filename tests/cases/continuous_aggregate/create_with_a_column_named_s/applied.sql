SELECT count(s) = 240 FROM public.hourly;
