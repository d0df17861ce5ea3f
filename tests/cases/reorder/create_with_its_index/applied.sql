SELECT config ->> 'index_name' = 'ix_new' FROM timescaledb_information.jobs WHERE proc_name = 'policy_reorder' AND hypertable_name = 'trades';
