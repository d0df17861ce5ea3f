SELECT NOT scheduled FROM timescaledb_information.jobs WHERE proc_name IN ('policy_compression', 'policy_columnstore');
SELECT scheduled FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate';
