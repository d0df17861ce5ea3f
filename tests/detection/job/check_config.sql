SELECT alter_job(id, check_config => 0::oid::regproc, timezone => 'Europe/Berlin') FROM public.actions WHERE proc_name = 'roll_up';
