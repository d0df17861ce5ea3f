SELECT alter_job(id, max_retries => 3) FROM public.actions WHERE proc_name = 'roll_up';
