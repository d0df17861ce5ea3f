{% if ctx.level == "server" %}SELECT pg_catalog.pg_reload_conf(){% endif %}
