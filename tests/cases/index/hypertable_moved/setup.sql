CREATE TABLE public.events (at timestamptz NOT NULL, symbol text);
SELECT create_hypertable('public.events', by_range('at', INTERVAL '1 day'));
INSERT INTO public.events VALUES ('2026-01-01', 'a'), ('2026-02-01', 'b');
