CREATE EXTENSION file_fdw;
    CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
    CREATE FOREIGN TABLE public.orders (id int) SERVER files OPTIONS (filename '/nowhere');
