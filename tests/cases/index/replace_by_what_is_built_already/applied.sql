SELECT pg_get_indexdef('public.ix_a'::regclass) LIKE '%(id, w)';
SELECT to_regclass('public.ix_a_chronoform_new') IS NULL;
