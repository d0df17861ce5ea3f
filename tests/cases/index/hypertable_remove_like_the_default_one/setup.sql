CREATE TABLE public.ticks (time timestamptz NOT NULL, symbol text, price float8, volume int);
SELECT create_hypertable('public.ticks', 'time', chunk_time_interval => interval '1 day');
INSERT INTO public.ticks
SELECT timestamptz '2026-01-01 00:00:00+00' + g * interval '1 hour', 's' || g % 3, g, g
FROM generate_series(0, 71) AS g;
ANALYZE public.ticks;
