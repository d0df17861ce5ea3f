CREATE{% if after.unique %} UNIQUE{% endif %} INDEX{% if item.name is not none %} {{ item.name|ident }}{% endif %}

    ON {{ item.on|ident }}
    USING {{ after.method|ident }} ({% for key in after.columns %}{{ key|key }}{% if not loop.last %}, {% endif %}{% endfor %})
{% if after.include %}
    INCLUDE ({% for column in after.include %}{{ column|ident }}{% if not loop.last %}, {% endif %}{% endfor %})
{% endif %}
{% if after.nulls_not_distinct %}
    NULLS NOT DISTINCT
{% endif %}
{% if ctx.parameters %}
    WITH ({% for parameter in ctx.parameters %}{{ parameter.name|ident }} = {{ parameter.value }}{% if not loop.last %}, {% endif %}{% endfor %})
{% endif %}
{% if ctx.tablespace is not none %}
    TABLESPACE {{ ctx.tablespace|ident }}
{% endif %}
{% if after.where is not none %}
    WHERE ({{ after.where|expr }})
{% endif %}
