{% if not ctx.built_already %}
CREATE{% if after.unique %} UNIQUE{% endif %} INDEX{% if variant == "concurrently" %} CONCURRENTLY{% endif %} {{ ctx.build_as|ident }}
    ON {{ table|ident }}
    USING {{ after.method|ident }} ({% for key in after.columns %}{{ key|key }}{% if not loop.last %}, {% endif %}{% endfor %})
{% if after.include %}
    INCLUDE ({% for column in after.include %}{{ column|ident }}{% if not loop.last %}, {% endif %}{% endfor %})
{% endif %}
{% if after.nulls_not_distinct %}
    NULLS NOT DISTINCT
{% endif %}
{% if ctx.parameters or variant == "per_chunk" %}
    WITH (
    {%- if variant == "per_chunk" %}timescaledb.transaction_per_chunk{% if ctx.parameters %}, {% endif %}{% endif %}
    {%- for parameter in ctx.parameters %}{{ parameter.name|ident }} = {{ parameter.value }}{% if not loop.last %}, {% endif %}{% endfor %})
{% endif %}
{% if ctx.tablespace is not none %}
    TABLESPACE {{ ctx.tablespace|ident }}
{% endif %}
{% if after.where is not none %}
    WHERE ({{ after.where|expr }})
{% endif %}
{% endif %}
