DROP MATERIALIZED VIEW {{ table|ident }}
