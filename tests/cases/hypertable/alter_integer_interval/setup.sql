CREATE TABLE public.events (at int NOT NULL, body text);
SELECT create_hypertable('public.events', by_range('at', 3600));
