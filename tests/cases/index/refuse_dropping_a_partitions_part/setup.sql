CREATE TABLE public.orders (id bigint, at date) PARTITION BY RANGE (at);
CREATE TABLE public.orders_1 PARTITION OF public.orders FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE INDEX ix_orders ON public.orders (id);
