CREATE TABLE public.events (id bigint, symbol text);
