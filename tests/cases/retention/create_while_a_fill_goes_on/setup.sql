-- What an apply leaves that was stopped while it filled the aggregate, where its ledger is lost.
CREATE TABLE public.ticks (time timestamptz NOT NULL, v float8);
SELECT create_hypertable('public.ticks', by_range('time', INTERVAL '1 day'));
INSERT INTO public.ticks SELECT timestamptz '2020-01-01 00:00+00' + g * INTERVAL '1 hour', g FROM generate_series(0, 239) AS g;
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 hour', time) AS bucket, avg(v) AS v FROM public.ticks GROUP BY 1 WITH NO DATA;
DO $$
BEGIN
    EXECUTE (SELECT format('COMMENT ON TABLE _timescaledb_internal.%I IS %L', materialization_hypertable_name,
                           'chronoform: being filled from its beginning to its end; this comment goes once that is done')
               FROM timescaledb_information.continuous_aggregates);
END $$;
