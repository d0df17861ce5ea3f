-- status: missing
SELECT delete_job(id) FROM public.actions WHERE proc_name = 'roll_up';
