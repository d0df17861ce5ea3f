SELECT count(*) = 120, min(bucket) = '2020-01-01 00:00+00' FROM public.hourly;
