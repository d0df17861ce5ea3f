SELECT segmentby = '{select}', orderby = ARRAY['Time "of day"', 'a,b; --']
  FROM _timescaledb_catalog.compression_settings;
SELECT config ->> 'compress_after' = '7 days', max_retries = 3 FROM timescaledb_information.jobs
 WHERE hypertable_schema = 'Sch''em"a; --' AND hypertable_name = 'Tab''le $$ \ {{ x }} %s' AND proc_name = 'policy_compression';
