{% for chunk in item.chunks %}
{% if item.drop %}
SELECT _timescaledb_functions.freeze_chunk({{ chunk }});
{% endif %}
COPY (SELECT * FROM {{ chunk|ident }}) TO STDOUT (FORMAT binary);
{% endfor %}
{% if item.drop %}
SELECT c::text AS chunk FROM {{ item.ts|ident }}.drop_chunks({{ item.table }}, older_than => {{ item.until }}::pg_catalog.{{ item.time_type|ident }}, newer_than => {{ item.from }}::pg_catalog.{{ item.time_type|ident }}) AS c
{% endif %}
