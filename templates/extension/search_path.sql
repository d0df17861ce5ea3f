{% if after.schema is not defined %}SET LOCAL search_path = public{% endif %}
