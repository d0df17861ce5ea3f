SELECT (SELECT count(*) = 5 AND sum(n) = 240 FROM public.daily)
    AND (SELECT count(*) = 120 FROM public.hourly);
