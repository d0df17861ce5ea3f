COPY pg_temp.{{ stage|ident }} FROM STDIN (FORMAT binary)
