-- status: missing
SELECT remove_retention_policy('public.events');
