CREATE INDEX ix_orders_chronoform_new ON public.orders (symbol);
