CREATE TABLE public.events (id bigint, at timestamptz NOT NULL, symbol text, price float8, tags text[]);
INSERT INTO public.events SELECT g, '2026-01-01', 's' || g, g, ARRAY['a'] FROM generate_series(1, 100) AS g;
