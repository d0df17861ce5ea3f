DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''65536kB''', current_database()); END $$;
