SELECT {{ function|ident }}()::pg_catalog.int8 AS now
