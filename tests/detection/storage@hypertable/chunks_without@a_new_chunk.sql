INSERT INTO public.events VALUES ('2026-02-01', 'c');
