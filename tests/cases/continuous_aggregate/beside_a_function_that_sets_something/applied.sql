SELECT d.interval_length = 500 FROM _timescaledb_catalog.dimension AS d JOIN _timescaledb_catalog.continuous_agg AS a ON a.mat_hypertable_id = d.hypertable_id WHERE a.user_view_name = 'hourly';
SELECT config -> 'start_offset' = '200', config -> 'end_offset' = '10' FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate';
SELECT config -> 'drop_after' = '800' FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention';
