{% if ctx.retired_left %}
DROP INDEX{% if variant == "concurrently" %} CONCURRENTLY{% endif %} {{ ctx.retired|ident }}
{% endif %}
