SELECT set_number_partitions('public.ticks', 2, 'venue');
