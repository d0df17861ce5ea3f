SELECT min(price) = 2, max(price) = 2, count(*) > 400 FROM public.hourly;
SELECT d.time_interval = INTERVAL '10 days' FROM timescaledb_information.continuous_aggregates AS a
  JOIN timescaledb_information.dimensions AS d ON d.hypertable_name = a.materialization_hypertable_name;
