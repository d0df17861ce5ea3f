{# Made anew, it belongs to whom it belonged to before. #}
ALTER MATERIALIZED VIEW {{ item.table|ident }} OWNER TO {{ item.owner|ident }}
