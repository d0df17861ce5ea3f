SELECT alter_job(id, scheduled => false, timezone => 'Europe/Berlin') FROM public.actions WHERE proc_name = 'roll_up';
