-- status: missing
SELECT remove_reorder_policy('public.events');
