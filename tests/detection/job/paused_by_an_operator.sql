-- status: paused
SELECT alter_job(id, scheduled => false) FROM public.actions WHERE proc_name = 'other';
