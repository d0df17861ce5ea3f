CREATE TABLE public.ticks (time timestamptz NOT NULL, symbol text, note text, volume int);
SELECT create_hypertable('public.ticks', 'time', chunk_time_interval => interval '1 day', create_default_indexes => false);
INSERT INTO public.ticks
SELECT timestamptz '2026-01-01 00:00:00+00' + g * interval '3 seconds', 's' || g % 3, repeat('x', 100), g
FROM generate_series(0, 79999) AS g;
ANALYZE public.ticks;
CREATE INDEX ix_ticks ON public.ticks (symbol);
