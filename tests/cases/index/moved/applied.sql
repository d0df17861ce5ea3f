SELECT 'public."Ix ""symbol"""'::regclass = oid FROM public.as_it_was;
SELECT count(*) = 1 FROM pg_indexes WHERE tablename = 'events';
