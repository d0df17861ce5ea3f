CREATE TABLE public.t (id int, w int);
CREATE INDEX ix_a ON public.t (id);
CREATE INDEX ix_a_chronoform_new ON public.t (id, w);
