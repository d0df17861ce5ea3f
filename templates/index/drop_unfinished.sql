{% if ctx.unfinished_left %}
DROP INDEX{% if variant == "concurrently" %} CONCURRENTLY{% endif %} {{ ctx.unfinished|ident }}
{% endif %}
