CREATE TABLE public.events (at timestamptz NOT NULL, symbol text);
SELECT create_hypertable('public.events', by_range('at', INTERVAL '1 day'));
CREATE INDEX ix_symbol ON public.events (symbol, at);
CREATE TABLE public.ticks (at bigint NOT NULL, symbol text);
SELECT create_hypertable('public.ticks', by_range('at', 86400));
CREATE INDEX ix_ticks ON public.ticks (symbol, at);
