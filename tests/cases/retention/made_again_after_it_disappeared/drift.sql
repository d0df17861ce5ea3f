SELECT remove_retention_policy('public.trades');
