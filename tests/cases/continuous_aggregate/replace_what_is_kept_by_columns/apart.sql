CALL public.refresh_continuous_aggregate('public.hourly', NULL, NULL);
CALL public.refresh_continuous_aggregate('public.daily', NULL, NULL);
SELECT public.compress_chunk(c) FROM public.show_chunks('public.hourly') AS c;
SELECT public.compress_chunk(c) FROM public.show_chunks('public.daily') AS c;
