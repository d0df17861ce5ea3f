INSERT INTO public.ticks VALUES ('2026-02-01 00:00:00+00', 's', 1);
