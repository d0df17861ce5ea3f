{% for chunk in item.chunks %}
{% if item.drop %}
SELECT _timescaledb_functions.freeze_chunk({{ chunk }});
{% endif %}
COPY (SELECT * FROM {{ chunk|ident }}) TO STDOUT (FORMAT binary);
{% endfor %}
{% if item.drop %}
{% include "archive/drop.sql" %}
{% endif %}
