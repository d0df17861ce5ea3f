CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
-- Hours of working days; one of these is a holiday.
INSERT INTO public.trades
SELECT g, 1 FROM generate_series(timestamptz '2026-01-05 00:00+00', '2026-02-27 23:00+00', '1 hour') AS g
 WHERE extract(isodow FROM g AT TIME ZONE 'UTC') < 6 AND (g AT TIME ZONE 'UTC')::date <> '2026-01-14';
CREATE MATERIALIZED VIEW public.weekly WITH (timescaledb.continuous) AS
SELECT public.time_bucket('7 days', time) AS week, count(*) AS trades FROM public.trades GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.from_sunday WITH (timescaledb.continuous) AS
SELECT public.time_bucket('7 days', time, timestamptz '2026-01-04 00:00+00') AS week, count(*) AS trades FROM public.trades GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.monthly WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 month', time, 'Europe/Berlin') AS month, count(*) AS trades FROM public.trades GROUP BY 1 WITH NO DATA;
DO $$
DECLARE hypertable text;
BEGIN
    FOR hypertable IN SELECT materialization_hypertable_name FROM timescaledb_information.continuous_aggregates LOOP
        EXECUTE format('COMMENT ON TABLE _timescaledb_internal.%I IS %L', hypertable,
                       'chronoform: being filled from its beginning to its end; this comment goes once that is done');
    END LOOP;
END $$;
