ALTER ROLE {{ ctx.role|ident }}{% if ctx.in_database %} IN DATABASE {{ ctx.database|ident }}{% endif %} {% if ctx.items -%}
SET {{ ctx.parameter|ident }} = {% for item in ctx.items %}{{ item }}{% if not loop.last %}, {% endif %}{% endfor %}
{%- else -%}
RESET {{ ctx.parameter|ident }}
{%- endif %}
