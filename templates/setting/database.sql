ALTER DATABASE {{ ctx.database|ident }} {% if ctx.items -%}
SET {{ ctx.parameter|ident }} = {% for item in ctx.items %}{{ item }}{% if not loop.last %}, {% endif %}{% endfor %}
{%- else -%}
RESET {{ ctx.parameter|ident }}
{%- endif %}
