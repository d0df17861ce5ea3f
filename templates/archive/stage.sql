{# Temporary, so that it is nobody else's and goes with the transaction. Its columns are numbered: their types are what matters. #}
CREATE TEMPORARY TABLE {{ stage|ident }} (
{%- for column in columns %}
{%- if not loop.first %},{% endif %} {{ column.staged|ident }} {% if column.as_text %}pg_catalog.text{% else %}{{ column.base_type|expr }}{% endif %}
{%- endfor %}
) ON COMMIT DROP
