-- heal: refused
DROP TABLE public.events;
CREATE TABLE public.events (at timestamptz NOT NULL, received timestamptz NOT NULL);
SELECT create_hypertable('public.events', by_range('received', INTERVAL '1 day'));
