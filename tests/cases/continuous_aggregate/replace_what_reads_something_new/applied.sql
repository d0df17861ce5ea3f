SELECT (SELECT count(*) FROM public.hourly) = 457, (SELECT count(*) FROM public.mean) = 229, (SELECT count(*) FROM public.daily) = 20;
SELECT (SELECT count(*) FROM public.weekly) = 4, (SELECT count(*) FROM public.monthly) = (SELECT count(DISTINCT time_bucket('30 days', day)) FROM public.daily);
SELECT NOT EXISTS (SELECT FROM pg_description WHERE description LIKE 'chronoform%');
SELECT has_table_privilege('public', 'public.weekly', 'SELECT'), has_table_privilege('public', 'public.monthly', 'SELECT');
