UPDATE public.as_it_was SET oid = 'public.events_symbol_idx'::regclass;
