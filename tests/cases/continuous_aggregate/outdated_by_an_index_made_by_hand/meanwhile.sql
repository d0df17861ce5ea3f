CREATE INDEX ix_by_hand ON public.hourly (volume);
