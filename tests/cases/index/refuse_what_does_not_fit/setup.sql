CREATE DOMAIN public.amount AS numeric;
CREATE TABLE public.docs (id int, doc json, place point, note text, price public.amount);
