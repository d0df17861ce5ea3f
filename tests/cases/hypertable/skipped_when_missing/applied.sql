SELECT count(*) = 0 FROM timescaledb_information.hypertables;
