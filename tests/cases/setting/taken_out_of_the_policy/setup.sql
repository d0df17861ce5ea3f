DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET enable_mergejoin = off', current_database()); END $$;
