DROP INDEX public.ix_orders;
