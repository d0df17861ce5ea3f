CREATE TABLE public.ticks (time timestamptz NOT NULL, v float8);
SELECT create_hypertable('public.ticks', by_range('time', INTERVAL '1 day'));
INSERT INTO public.ticks SELECT timestamptz '2020-01-01 00:00+00' + g * INTERVAL '1 hour', g FROM generate_series(0, 239) AS g;
INSERT INTO public.ticks SELECT now() - g * INTERVAL '1 hour', g FROM generate_series(0, 23) AS g;
