SELECT d.time_interval = CASE c.view_name WHEN 'hourly' THEN INTERVAL '10 days' ELSE INTERVAL '20 days' END, c.view_definition LIKE '%max(%'
  FROM timescaledb_information.continuous_aggregates AS c
  JOIN timescaledb_information.dimensions AS d ON d.hypertable_name IN (c.view_name, c.materialization_hypertable_name);
