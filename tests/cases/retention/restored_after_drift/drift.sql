SELECT alter_job(job_id, config => config || '{"drop_after": "1 day"}', schedule_interval => INTERVAL '1 hour',
           fixed_schedule => false, max_runtime => INTERVAL '1 minute', max_retries => 1,
           retry_period => INTERVAL '1 minute', timezone => 'UTC')
  FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention';
