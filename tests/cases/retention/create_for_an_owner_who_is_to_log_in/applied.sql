SELECT count(*) = 2 AND bool_and(owner::text = 'retention_owner') FROM timescaledb_information.jobs WHERE hypertable_name = 'trades';
