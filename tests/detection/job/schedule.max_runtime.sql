SELECT alter_job(id, max_runtime => INTERVAL '2 hours', timezone => 'Europe/Berlin') FROM public.actions WHERE proc_name = 'roll_up';
