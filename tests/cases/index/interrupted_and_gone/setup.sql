CREATE TABLE public.orders (id bigint NOT NULL, symbol text, venue int, price numeric, note text, tags text[], at timestamptz NOT NULL);
INSERT INTO public.orders
SELECT g, 's' || g % 3, g % 2, g, 'n', ARRAY['a'], timestamptz '2026-01-01 00:00:00+00' + g * interval '1 hour'
FROM generate_series(1, 20) AS g;
ANALYZE public.orders;
CREATE INDEX ix_orders_chronoform_new ON public.orders (id, at);
CREATE INDEX ix_orders_chronoform_old ON public.orders (id);
COMMENT ON INDEX public.ix_orders_chronoform_old IS 'chronoform: replaced, and to be dropped';
