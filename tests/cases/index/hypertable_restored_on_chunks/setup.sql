CREATE TABLE public.ticks (gone int, time timestamptz NOT NULL, "Sym b" text, price float8, late int);
SELECT create_hypertable('public.ticks', 'time', chunk_time_interval => interval '1 day');
INSERT INTO public.ticks (time, "Sym b", price)
SELECT timestamptz '2026-01-01 00:00:00+00' + g * interval '1 hour', 's' || g % 3, g FROM generate_series(0, 71) AS g;
-- Chunks before and after have their columns under different numbers.
ALTER TABLE public.ticks DROP COLUMN gone;
INSERT INTO public.ticks (time, "Sym b", price)
SELECT timestamptz '2026-01-04 00:00:00+00' + g * interval '1 hour', 's' || g % 3, g FROM generate_series(0, 23) AS g;
ALTER TABLE public.ticks DROP COLUMN late;
INSERT INTO public.ticks (time, "Sym b", price)
SELECT timestamptz '2026-01-05 00:00:00+00' + g * interval '1 hour', 's' || g % 3, g FROM generate_series(0, 23) AS g;
ANALYZE public.ticks;
