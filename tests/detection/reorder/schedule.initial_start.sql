SELECT alter_job(job_id, initial_start => '2036-02-03 04:05:06+00', timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_reorder' AND hypertable_name = 'events';
