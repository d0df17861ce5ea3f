-- heal: refused
DROP TABLE public.events;
CREATE TABLE public.events (at bigint NOT NULL, received bigint NOT NULL, symbol text, venue int, order_id bigint);
SELECT public.create_hypertable('public.events', public.by_range('received', 86400), create_default_indexes => false);
SELECT public.add_dimension('public.events', public.by_hash('symbol', 4));
