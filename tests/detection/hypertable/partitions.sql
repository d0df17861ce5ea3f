SELECT public.set_number_partitions('public.events', 2, 'symbol');
