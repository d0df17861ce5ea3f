-- Still the same hypertable, and the rest of the policy was applied.
SELECT count(*) = 1 FROM timescaledb_information.dimensions
 WHERE hypertable_schema = 'public' AND hypertable_name = 'trades' AND column_name = 'time' AND time_interval = '1 day';
SELECT count(*) = 1 FROM pg_indexes WHERE tablename = 'trades' AND indexname = 'ix_trades_symbol';
