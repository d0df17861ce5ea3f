SELECT view_definition ~ 'avg', materialized_only FROM timescaledb_information.continuous_aggregates WHERE view_schema = 'public' AND view_name = 'hourly';
SELECT d.interval_length = 20 * 86400000000 FROM _timescaledb_catalog.dimension AS d JOIN _timescaledb_catalog.continuous_agg AS a ON a.mat_hypertable_id = d.hypertable_id WHERE a.user_view_name = 'hourly';
