SELECT alter_job(job_id, config => config || '{"index_name": "events_at_idx"}', timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_reorder' AND hypertable_name = 'events';
