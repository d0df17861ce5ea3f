COPY (
SELECT
{%- for column in columns %}
{%- if not loop.first %},{% endif %}
{%- if column.output is defined %} pg_catalog.textin({{ column.output|ident }}(t.{{ column.name|ident }}))
{%- elif column.as_text %} CAST(t.{{ column.name|ident }} AS pg_catalog.text)
{%- else %} t.{{ column.name|ident }}
{%- endif %}
{%- endfor %}
FROM {{ relation|ident }} AS t
) TO STDOUT (FORMAT binary)
