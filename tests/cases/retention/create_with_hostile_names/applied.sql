SELECT config ->> 'drop_after' = '90 days', max_retries = 3 FROM timescaledb_information.jobs
 WHERE hypertable_schema = 'Sch''em"a; --' AND hypertable_name = 'Tab''le $$ \ {{ x }} %s' AND proc_name = 'policy_retention';
