CREATE TABLE public.events (at timestamptz NOT NULL, note text);
