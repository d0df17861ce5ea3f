CREATE EXTENSION hstore;
CREATE TABLE public.settings (a hstore, b hstore[]);
CREATE INDEX settings_a ON public.settings USING gin (a);
CREATE VIEW public.settings_view AS SELECT a -> 'x' AS x FROM public.settings;
