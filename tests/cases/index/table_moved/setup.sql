CREATE SCHEMA app;
CREATE TABLE public.ticks (id bigint, symbol text);
