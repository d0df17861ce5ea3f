SELECT alter_job(id, job_name => 'something else', timezone => 'Europe/Berlin') FROM public.actions WHERE proc_name = 'roll_up';
