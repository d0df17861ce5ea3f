SELECT count(*) = 0 FROM pg_shdepend WHERE refobjid = 'absent_in_part'::regrole;
