SELECT count(*) = 0 FROM pg_class WHERE relname ~ '^compress_hyper_\d+_\d+_chunk$';
SELECT count(*) = 240 FROM public.hourly;
SELECT count(*) = 15 FROM public.daily;
