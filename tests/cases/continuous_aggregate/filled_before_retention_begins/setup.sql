CREATE TABLE public.a_raw (time timestamptz NOT NULL, dev int NOT NULL, v float8);
SELECT create_hypertable('public.a_raw', by_range('time', INTERVAL '7 days'));
INSERT INTO public.a_raw SELECT '2026-01-01 00:00Z'::timestamptz + n * INTERVAL '6 hours', n % 3, n FROM generate_series(0, 159) AS n;
