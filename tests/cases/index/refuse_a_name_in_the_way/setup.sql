CREATE TABLE public.orders (id bigint NOT NULL, symbol text);
CREATE INDEX ix_orders ON public.orders (id);
CREATE UNIQUE INDEX ix_orders_chronoform_new ON public.orders (id, symbol);
CREATE TABLE public.ix_orders_chronoform_old ();
