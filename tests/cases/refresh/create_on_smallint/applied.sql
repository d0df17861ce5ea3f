SELECT config ->> 'start_offset' = '200' AND config -> 'end_offset' = 'null'
  FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate';
SELECT config ->> 'drop_after' = '800' FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention';
