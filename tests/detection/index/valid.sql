DROP INDEX public.ix_unique;
INSERT INTO public.events VALUES (1, '2026-02-01', 'twice');
-- fails
CREATE UNIQUE INDEX CONCURRENTLY ix_unique ON public.events (id);
DELETE FROM public.events WHERE symbol = 'twice';
