CREATE MATERIALIZED VIEW public.orders AS SELECT g AS id FROM generate_series(1, 3) AS g;
