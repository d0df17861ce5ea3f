SELECT view_definition LIKE '%min(%' FROM timescaledb_information.continuous_aggregates WHERE view_name = 'hourly';
SELECT count(*) = 3 FROM timescaledb_information.continuous_aggregates;
SELECT (SELECT min(week) >= '2026-01-01 00:00+00' AND count(*) > 0 FROM app.weekly), (SELECT min(day) = '2026-01-05 00:00+00' FROM app.daily);
SELECT has_table_privilege('cagg_reader', 'app.weekly', 'SELECT'), has_table_privilege('cagg_reader', 'app.hourly', 'INSERT'), has_table_privilege('cagg_reader', 'app.daily', 'INSERT');
SELECT count(*) = 1 FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate';
SELECT NOT EXISTS (SELECT FROM pg_indexes AS i JOIN timescaledb_information.continuous_aggregates AS a
                    ON i.schemaname = a.materialization_hypertable_schema AND i.tablename = a.materialization_hypertable_name
                   WHERE a.view_name = 'daily' AND i.indexdef LIKE '%symbol%');
