SELECT count(average) = 0 FROM public.hourly;
