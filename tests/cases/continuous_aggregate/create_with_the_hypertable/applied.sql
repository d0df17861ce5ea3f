SELECT true FROM timescaledb_information.continuous_aggregates WHERE view_schema = 'public' AND view_name = 'hourly';
SELECT compression_enabled, view_definition ~ 'hourly' FROM timescaledb_information.continuous_aggregates WHERE view_schema = 'public' AND view_name = 'a_daily';
SELECT count(*) = 4 FROM timescaledb_information.jobs WHERE job_id >= 1000;
