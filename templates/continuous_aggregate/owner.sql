{# Made anew, it belongs to whom it belonged to before. #}
{%- if ctx.owner is not none -%}
ALTER MATERIALIZED VIEW {{ table|ident }} OWNER TO {{ ctx.owner|ident }}
{%- endif %}
