SELECT reloptions = ARRAY['fillfactor=80'] FROM pg_class WHERE relname = 'T; ''$$'' --';
