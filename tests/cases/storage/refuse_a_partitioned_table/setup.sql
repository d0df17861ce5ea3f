CREATE TABLE public.orders (id int) PARTITION BY RANGE (id);
