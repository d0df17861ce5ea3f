SELECT alter_job(id, fixed_schedule => true) FROM public.actions WHERE proc_name = 'other';
