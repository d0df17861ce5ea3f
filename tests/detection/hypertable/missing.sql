-- status: missing
DROP TABLE public.events;
CREATE TABLE public.events (at timestamptz NOT NULL, received timestamptz NOT NULL);
