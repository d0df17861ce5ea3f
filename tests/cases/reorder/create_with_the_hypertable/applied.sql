SELECT config ->> 'index_name' = 'ix_quotes' FROM timescaledb_information.jobs WHERE proc_name = 'policy_reorder' AND hypertable_name = 'quotes';
