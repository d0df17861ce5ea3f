{% if ctx.swap or ctx.built_already %}
ALTER INDEX {{ ctx.unfinished|ident }} RENAME TO {{ name|ident }}
{% endif %}
