{% if ctx.swap and variant == "concurrently" %}
COMMENT ON INDEX {{ ctx.retired|ident }} IS {{ ctx.retired_mark }}
{% endif %}
