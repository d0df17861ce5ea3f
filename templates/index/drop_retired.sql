{% if ctx.swap and variant == "concurrently" %}
DROP INDEX CONCURRENTLY {{ ctx.retired|ident }}
{% endif %}
