DROP INDEX public.ux_orders;
CREATE UNIQUE INDEX ux_orders ON public.orders (id, at);
