CREATE TABLE public.closings (day date NOT NULL, price numeric);
