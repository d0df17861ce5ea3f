CREATE INDEX by_hand ON public.trades (time DESC);
