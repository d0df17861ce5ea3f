SELECT to_regclass('public.hourly') IS NOT NULL, count(*) = 0 FROM pg_shdepend WHERE refobjid = 'new_out'::regrole;
