DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''1GB''', current_database());
  EXECUTE format('ALTER DATABASE %I RESET statement_timeout', current_database()); END $$;
