{% if ctx.swap and variant == "concurrently" %}
ALTER INDEX {{ object|ident }} RENAME TO {{ ctx.retired_as|ident }}
{% elif ctx.swap %}
DROP INDEX {{ object|ident }}
{% endif %}
