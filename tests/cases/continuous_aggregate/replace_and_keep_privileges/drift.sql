ALTER MATERIALIZED VIEW public.hourly OWNER TO cagg_owner;
GRANT SELECT ON public.hourly TO "Cagg""reader""" WITH GRANT OPTION;
GRANT SELECT ON public.hourly TO PUBLIC;
GRANT SELECT, UPDATE, DELETE ON public.hourly TO cagg_described;
GRANT UPDATE (symbol) ON public.hourly TO "Cagg""reader""";
