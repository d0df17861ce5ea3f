SELECT count(*) = 0 FROM _timescaledb_catalog.compression_settings;
SELECT count(*) = 0 FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression';
