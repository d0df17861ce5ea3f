SELECT alter_job(id, initial_start => '2036-02-03 04:05:06+00', timezone => 'Europe/Berlin') FROM public.actions WHERE proc_name = 'roll_up';
