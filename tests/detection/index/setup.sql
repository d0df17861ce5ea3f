CREATE TABLE public.orders (id bigint NOT NULL, symbol text, venue int, price numeric, at timestamptz NOT NULL);
INSERT INTO public.orders
SELECT g, 's' || g % 3, g % 2, g, timestamptz '2026-01-01 00:00:00+00' + g * interval '1 hour'
FROM generate_series(1, 20) AS g;
