{% if ctx.drop_first %}
DROP INDEX{% if variant == "concurrently" %} CONCURRENTLY{% endif %} {{ object|ident }}
{% endif %}
