SELECT (SELECT count(*) FROM public.hourly) = 0, (SELECT count(*) FROM public.daily) = 0;
-- That it is to be filled is not forgotten.
SELECT count(*) = 1 FROM pg_description AS d
  JOIN timescaledb_information.continuous_aggregates AS a
    ON d.objoid = format('%I.%I', a.materialization_hypertable_schema, a.materialization_hypertable_name)::regclass
 WHERE d.description LIKE 'chronoform: being filled%' AND a.view_name = 'daily';
