SELECT alter_job(id, max_retries => 4, timezone => 'Europe/Berlin') FROM public.actions WHERE proc_name = 'roll_up';
