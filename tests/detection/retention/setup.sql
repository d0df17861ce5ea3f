CREATE TABLE public.events (at timestamptz NOT NULL, symbol text);
SELECT create_hypertable('public.events', by_range('at', INTERVAL '1 day'));
CREATE TABLE public.ticks (at bigint NOT NULL, symbol text);
SELECT create_hypertable('public.ticks', by_range('at', 86400));
