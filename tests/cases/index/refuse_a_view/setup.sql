CREATE VIEW public.orders AS SELECT 1 AS id;
