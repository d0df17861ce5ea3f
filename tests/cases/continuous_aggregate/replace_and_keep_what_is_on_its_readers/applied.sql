SELECT count(*) = 361, min(bucket) = '2026-01-03 00:00+00', max(bucket) = '2026-01-20 00:00+00' FROM public.hourly;
SELECT count(*) = 0 FROM public.hourly WHERE bucket >= '2026-01-08 00:00+00' AND bucket < '2026-01-10 00:00+00';
SELECT count(*) = 16 FROM public."Daily ""d""";
SELECT count(*) = 0 FROM public.weekly;
SELECT bool_and(relowner = 'remade_owner'::regrole) AND count(*) = 3 FROM pg_class
 WHERE oid IN ('public.hourly'::regclass, 'public."Daily ""d"""'::regclass, 'public.weekly'::regclass);
SELECT has_table_privilege('Remade"reader"', 'public.hourly', 'SELECT'), has_table_privilege('Remade"reader"', 'public.weekly', 'SELECT'),
       has_column_privilege('Remade"reader"', 'public.hourly', 'price', 'UPDATE'),
       NOT has_column_privilege('Remade"reader"', 'public.hourly', 'symbol', 'UPDATE'),
       has_table_privilege('Remade"reader"', 'public."Daily ""d"""', 'SELECT WITH GRANT OPTION, INSERT WITH GRANT OPTION'),
       has_column_privilege('Remade"reader"', 'public."Daily ""d"""', 'the day', 'UPDATE');
SELECT obj_description('public.hourly'::regclass) = 'prices by the hour', col_description('public.hourly'::regclass, 3) = 'the average';
SELECT obj_description('public."Daily ""d"""'::regclass) = E'it''s $$ the \\ day''s\nhigh',
       col_description('public."Daily ""d"""'::regclass, 1) = 'its beginning', obj_description('public.weekly'::regclass) = 'left empty';
SELECT NOT materialized_only FROM timescaledb_information.continuous_aggregates WHERE view_name = 'Daily "d"';
SELECT d.time_interval = INTERVAL '77 days' FROM timescaledb_information.dimensions AS d JOIN timescaledb_information.continuous_aggregates AS a
    ON a.materialization_hypertable_name = d.hypertable_name WHERE a.view_name = 'weekly';
SELECT NOT EXISTS (SELECT FROM pg_description WHERE description LIKE 'chronoform%');
SELECT count(*) = 1 FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate';
