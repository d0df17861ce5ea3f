SELECT alter_job(id, config => '{"keep": 30}', timezone => 'Europe/Berlin') FROM public.actions WHERE proc_name = 'roll_up';
