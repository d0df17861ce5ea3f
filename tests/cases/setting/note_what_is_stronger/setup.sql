CREATE ROLE setting_stronger;
ALTER ROLE setting_stronger SET random_page_cost = 3;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET random_page_cost = 2', current_database()); END $$;
