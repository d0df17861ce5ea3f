CALL add_columnstore_policy('public.orders', after => INTERVAL '3 days');
