SELECT count(*) = 100, min(bucket) = 0, max(bucket) = 990 FROM public.hourly;
