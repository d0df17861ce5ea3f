DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''1GB''', current_database()); END $$;
