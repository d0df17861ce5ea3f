CREATE TABLE public.events (id bigint, at timestamptz NOT NULL, symbol text, price float8);
SELECT create_hypertable('public.events', by_range('at', INTERVAL '1 day'));
INSERT INTO public.events SELECT g, '2026-01-01'::timestamptz + g * INTERVAL '1 hour', 's' || g, g FROM generate_series(1, 100) AS g;
