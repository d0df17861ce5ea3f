CREATE TABLE public.orders (id bigint, symbol text);
