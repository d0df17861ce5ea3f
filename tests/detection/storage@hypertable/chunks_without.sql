DO $$ BEGIN EXECUTE format('ALTER TABLE %s SET (fillfactor = 70)', (SELECT min(c::text) FROM public.show_chunks('public.events') AS c)); END $$;
