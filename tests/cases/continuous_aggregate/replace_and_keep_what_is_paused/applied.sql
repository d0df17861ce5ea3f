SELECT view_definition ~ 'max' FROM timescaledb_information.continuous_aggregates WHERE view_schema = 'public' AND view_name = 'hourly';
SELECT NOT scheduled FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention';
SELECT NOT scheduled FROM timescaledb_information.jobs WHERE config ->> 'start_offset' = '20 days';
SELECT scheduled FROM timescaledb_information.jobs WHERE config ->> 'start_offset' = '7 days';
SELECT scheduled FROM timescaledb_information.jobs WHERE proc_name LIKE 'policy_compression' OR proc_name LIKE 'policy_columnstore';
