GRANT UPDATE ON public.trades TO anew_exclusive;
