SELECT indexdef = 'CREATE INDEX ix_orders_with_a_name_as_long_as_the_server_will_ever_let_it_be ON public.orders USING btree (venue)' FROM pg_indexes WHERE schemaname = 'public' AND indexname = 'ix_orders_with_a_name_as_long_as_the_server_will_ever_let_it_be';
SELECT count(*) = 0 FROM pg_class WHERE relname ~ '_chronoform_';
