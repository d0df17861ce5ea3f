{%- if ctx.reset -%}
ALTER TABLE {{ table|ident }} RESET ({% for option in ctx.reset %}{{ option|ident }}{% if not loop.last %}, {% endif %}{% endfor %})
{%- endif %}
