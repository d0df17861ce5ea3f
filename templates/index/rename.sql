{% if ctx.renamed_from is not none %}
ALTER INDEX {{ ctx.renamed_from|ident }} RENAME TO {{ name|ident }}
{% endif %}
