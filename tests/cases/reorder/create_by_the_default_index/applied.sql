SELECT config ->> 'index_name' = 'trades_time_idx' FROM timescaledb_information.jobs WHERE proc_name = 'policy_reorder' AND hypertable_name = 'trades';
