SELECT alter_job(id, config => '{"keep": "31 days"}', timezone => 'Europe/Berlin') FROM public.actions WHERE proc_name = 'roll_up';
