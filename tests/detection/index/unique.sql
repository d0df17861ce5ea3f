-- also: nulls_not_distinct
DROP INDEX public.ux_orders;
CREATE INDEX ux_orders ON public.orders (id, at);
