SELECT alter_job(id, schedule_interval => INTERVAL '11 hours', timezone => 'Europe/Berlin') FROM public.actions WHERE proc_name = 'roll_up';
