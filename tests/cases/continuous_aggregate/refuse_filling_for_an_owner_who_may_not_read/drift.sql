ALTER MATERIALIZED VIEW public.daily OWNER TO owner_without_select;
