DROP TABLE pg_temp.{{ stage|ident }}
