CREATE TABLE public.orders (id bigint, note text, at date) PARTITION BY RANGE (at);
CREATE TABLE public.orders_1 PARTITION OF public.orders FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO public.orders SELECT g, repeat('x', 100), '2026-01-15' FROM generate_series(1, 70000) AS g;
ANALYZE public.orders;
