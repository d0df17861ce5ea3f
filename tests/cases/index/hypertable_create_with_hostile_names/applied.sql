SELECT count(*) = 2 FROM pg_indexes WHERE indexdef LIKE '%("Sym; --" DESC NULLS LAST, "Time")';
