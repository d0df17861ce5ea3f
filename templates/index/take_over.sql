{% if ctx.swap %}
ALTER INDEX {{ ctx.unfinished|ident }} RENAME TO {{ name|ident }}
{% endif %}
