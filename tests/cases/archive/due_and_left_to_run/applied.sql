SELECT count(*) = 3 FROM show_chunks('public.trades');
