CREATE TABLE public.events (id bigint, at timestamptz NOT NULL, symbol text);
