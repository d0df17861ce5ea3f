ALTER TABLE public.ticks RENAME TO "Ticks";
ALTER TABLE public."Ticks" SET SCHEMA app;
