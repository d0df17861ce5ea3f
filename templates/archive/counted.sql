{% for chunk in item.chunks %}
COPY (SELECT * FROM {{ chunk|ident }}) TO STDOUT (FORMAT binary);
{% endfor %}
{% if item.drop %}
{% for chunk in item.chunks %}
LOCK TABLE {{ chunk|ident }} IN ACCESS EXCLUSIVE MODE;
{% endfor %}
{% include "archive/drop.sql" %}
{% endif %}
