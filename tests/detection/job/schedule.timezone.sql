SELECT alter_job(id, timezone => 'Europe/Paris') FROM public.actions WHERE proc_name = 'roll_up';
