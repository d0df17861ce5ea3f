SELECT config ->> 'index_name' = 'In''dex " $$ \ {{ x }} %s; DROP TABLE x; --' FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_reorder' AND hypertable_schema = 'Sch''em"a; --';
