CREATE EXTENSION {% if ctx.may_exist %}IF NOT EXISTS {% endif %}{{ name|ident }}
{%- if after.schema is defined %} SCHEMA {{ after.schema|ident }}{% endif %}
{%- if after.version is defined %} VERSION {{ after.version }}{% endif %}
{%- if after.cascade is defined and after.cascade %} CASCADE{% endif %}
