-- TimescaleDB keeps a month as 30 days.
CREATE TABLE public.reports (at timestamp(3) NOT NULL, body text);
