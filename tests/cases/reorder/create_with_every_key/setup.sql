CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, venue text, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE INDEX ix_symbol ON public.trades (symbol, time DESC);
CREATE INDEX ix_venue ON public.trades (venue, time DESC);
INSERT INTO public.trades
SELECT timestamptz '2020-01-01 00:00+00' + i * INTERVAL '6 hours', 'S' || i % 3, 'X', i FROM generate_series(0, 27) AS i;
ANALYZE public.trades;

-- The time zone of a job is only in a table that has moved between versions.
DO $$ BEGIN
    EXECUTE format('CREATE VIEW public.zones AS SELECT id, proc_name, timezone FROM %s',
                   COALESCE(to_regclass('_timescaledb_catalog.bgw_job'), to_regclass('_timescaledb_config.bgw_job')));
END $$;
