SELECT view_definition ~ 'max', NOT materialized_only, compression_enabled FROM timescaledb_information.continuous_aggregates WHERE view_schema = 'public' AND view_name = 'hourly';
SELECT count(*) = 4 FROM timescaledb_information.jobs WHERE job_id >= 1000;
SELECT count(*) = 1 FROM pg_indexes WHERE indexname = 'ix_hourly_price';
SELECT d.interval_length = 20 * 86400000000 FROM _timescaledb_catalog.dimension AS d JOIN _timescaledb_catalog.continuous_agg AS a ON a.mat_hypertable_id = d.hypertable_id WHERE a.user_view_name = 'hourly';
