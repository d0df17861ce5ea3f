SELECT config ->> 'drop_after' = '5000' FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention';
SELECT config ->> 'compress_after' = '100' FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression';
