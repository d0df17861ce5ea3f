CREATE INDEX ix_orders_chronoform_old ON public.orders (symbol);
