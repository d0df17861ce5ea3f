SELECT config ->> 'index_name' = 'ix_venue', schedule_interval = INTERVAL '12 hours', fixed_schedule,
       initial_start = timestamptz '2100-01-01 02:30:00+00', max_runtime = INTERVAL '1 hour', max_retries = 5,
       retry_period = INTERVAL '10 minutes', NOT scheduled
  FROM timescaledb_information.jobs WHERE proc_name = 'policy_reorder' AND hypertable_name = 'trades';
SELECT timezone = 'Europe/Berlin' FROM public.zones WHERE proc_name = 'policy_reorder';
SELECT count(*) = 1 FROM timescaledb_information.jobs WHERE proc_name = 'policy_reorder' AND hypertable_name = 'trades';
