{%- if item.column is none -%}
COMMENT ON VIEW {{ item.table|ident }} IS {{ item.comment }}
{%- else -%}
COMMENT ON COLUMN {{ item.table|ident }}.{{ item.column|ident }} IS {{ item.comment }}
{%- endif %}
