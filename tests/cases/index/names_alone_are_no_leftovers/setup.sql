CREATE TABLE public.orders (id bigint NOT NULL, symbol text);
CREATE INDEX ix_orders ON public.orders (id);
ALTER TABLE public.orders ADD CONSTRAINT ix_orders_chronoform_new UNIQUE (symbol);
CREATE UNIQUE INDEX ix_orders_chronoform_old ON public.orders (id, symbol);
