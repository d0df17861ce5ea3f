CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL);
CREATE INDEX ix_symbol ON public.trades (symbol);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
