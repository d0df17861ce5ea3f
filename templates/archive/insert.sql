{# Columns that the server computes are left out: it computes them again. What the relation has taken comes back, each column as it is archived. #}
COPY (
INSERT INTO {{ relation|ident }} AS t (
{%- for column in kept %}
{%- if not loop.first %}, {% endif %}{{ column.name|ident }}
{%- endfor %})
OVERRIDING SYSTEM VALUE
SELECT
{%- for column in kept %}
{%- if not loop.first %},{% endif %}
{%- if column.input is defined %} CAST({{ column.input|ident }}(pg_catalog.textout(s.{{ column.staged|ident }})
{%- if column.takes_type %}, CAST(pg_catalog.pg_typeof(CAST(NULL AS {{ column.base_type|expr }})) AS pg_catalog.oid), -1{% endif %}) AS {{ column.base_type|expr }})
{%- elif column.as_text %} CAST(s.{{ column.staged|ident }} AS {{ column.base_type|expr }})
{%- else %} s.{{ column.staged|ident }}
{%- endif %}
{%- endfor %}
FROM pg_temp.{{ stage|ident }} AS s
RETURNING
{%- for column in columns %}
{%- if not loop.first %},{% endif %}
{%- if column.output is defined %} pg_catalog.textin({{ column.output|ident }}(CAST(t.{{ column.name|ident }} AS {{ column.base_type|expr }})))
{%- elif column.as_text %} CAST(CAST(t.{{ column.name|ident }} AS {{ column.base_type|expr }}) AS pg_catalog.text)
{%- else %} CAST(t.{{ column.name|ident }} AS {{ column.base_type|expr }})
{%- endif %}
{%- endfor %}
) TO STDOUT (FORMAT binary)
