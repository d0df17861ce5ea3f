SELECT count(*) = 0 FROM timescaledb_information.jobs WHERE hypertable_name = 'ticks';
SELECT count(*) = 1 FROM timescaledb_information.hypertables WHERE hypertable_name = 'ticks' AND compression_enabled;
