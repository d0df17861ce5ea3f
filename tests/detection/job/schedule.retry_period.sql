SELECT alter_job(id, retry_period => INTERVAL '11 minutes', timezone => 'Europe/Berlin') FROM public.actions WHERE proc_name = 'roll_up';
