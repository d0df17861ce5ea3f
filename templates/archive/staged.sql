COPY pg_temp.{{ stage|ident }} TO STDOUT (FORMAT binary)
