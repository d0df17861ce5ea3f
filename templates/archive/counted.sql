{% for chunk in item.chunks %}
COPY (SELECT * FROM {{ chunk|ident }}) TO STDOUT (FORMAT binary);
{% endfor %}
{% if item.drop %}
{% for chunk in item.chunks %}
LOCK TABLE {{ chunk|ident }} IN ACCESS EXCLUSIVE MODE;
{% endfor %}
SELECT c::text AS chunk FROM {{ item.ts|ident }}.drop_chunks({{ item.table }}, older_than => {{ item.until }}::pg_catalog.{{ item.time_type|ident }}, newer_than => {{ item.from }}::pg_catalog.{{ item.time_type|ident }}) AS c
{% endif %}
