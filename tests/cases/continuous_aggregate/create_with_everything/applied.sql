SELECT NOT materialized_only, compression_enabled FROM timescaledb_information.continuous_aggregates WHERE view_schema = 'public' AND view_name = 'hourly';
SELECT d.interval_length = 30 * 86400000000 FROM _timescaledb_catalog.dimension AS d JOIN _timescaledb_catalog.continuous_agg AS a ON a.mat_hypertable_id = d.hypertable_id WHERE a.user_view_name = 'hourly';
SELECT count(*) = 2 FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND tablename = (SELECT materialization_hypertable_name FROM timescaledb_information.continuous_aggregates WHERE view_name = 'hourly');
SELECT count(*) = 3, bool_and(max_retries = CASE WHEN proc_name ~ 'refresh' THEN -1 ELSE 2 END) FROM timescaledb_information.jobs WHERE job_id >= 1000;
