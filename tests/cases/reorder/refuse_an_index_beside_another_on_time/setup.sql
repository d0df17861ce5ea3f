CREATE TABLE public.readings (day date NOT NULL, value int);
CREATE INDEX own ON public.readings (day DESC);
