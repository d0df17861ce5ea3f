CREATE TABLE public.events (id bigint, at timestamptz NOT NULL, symbol text);
CREATE TABLE public.as_it_was AS SELECT 0::oid AS oid;
