SELECT sum(n) = 160 FROM public.b_daily;
SELECT count(*) = 1 FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention' AND hypertable_name = 'a_raw';
-- Jobs are numbered as they are made: the one that deletes is the last.
SELECT max(job_id) FILTER (WHERE proc_name = 'policy_retention') > max(job_id) FILTER (WHERE proc_name = 'policy_refresh_continuous_aggregate') FROM timescaledb_information.jobs;
