DROP MATERIALIZED VIEW {{ item|ident }}
