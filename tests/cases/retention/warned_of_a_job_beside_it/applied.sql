-- It is warned of, and left alone.
SELECT count(*) = 2 FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention';
