SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(quote_ident('Odd "schema"') || '.' || quote_ident(E'"; DROP TABLE x; --''\\ 🦀'));
SELECT indnatts = 4, indnkeyatts = 3 FROM pg_index WHERE indrelid = to_regclass(quote_ident('Odd "schema"') || '.' || quote_ident('T; ''$$'''));
