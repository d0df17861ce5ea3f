CREATE TABLE public.readings (id int, at timestamptz);
CREATE INDEX ix_readings ON public.readings USING brin (id int4_minmax_multi_ops (values_per_range = 64));
