CREATE TABLE public.h (at timestamptz NOT NULL, v int);
SELECT public.create_hypertable('public.h', public.by_range('at'));
INSERT INTO public.h VALUES ('2026-01-01', 1), ('2026-03-01', 2);
