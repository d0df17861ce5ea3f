{% set list = ctx.lists[variant] %}
{% set gives = variant == "grant" or variant == "grant_option" %}
{% if list and ctx.sort != "role" %}
{% if ctx.sort == "later" %}
ALTER DEFAULT PRIVILEGES FOR ROLE {{ ctx.object|ident }}{% if ctx.schema is not none %} IN SCHEMA {{ ctx.schema|ident }}{% endif %}

{% endif %}
{% if gives %}GRANT{% else %}REVOKE{% endif %}{% if variant == "revoke_option" %} GRANT OPTION FOR{% endif %}
{%- for privilege in list %} {{ privilege|privilege }}{% if not loop.last %},{% endif %}{% endfor %} ON
{%- if ctx.sort == "later" %}
{%- if ctx.what == "tables" %} TABLES{% elif ctx.what == "sequences" %} SEQUENCES{% elif ctx.what == "functions" %} ROUTINES{% elif ctx.what == "types" %} TYPES{% else %} SCHEMAS{% endif %}
{%- elif ctx.sort == "database" %} DATABASE {{ ctx.object|ident }}
{%- elif ctx.sort == "schema" %} SCHEMA {{ ctx.object|ident }}
{%- elif ctx.sort == "table" %} TABLE {{ ctx.object|ident }}
{%- elif ctx.sort == "sequence" %} SEQUENCE {{ ctx.object|ident }}
{%- elif ctx.sort == "function" %} ROUTINE {{ ctx.object|ident }}({% if ctx.arguments is not none %}{{ ctx.arguments|expr }}{% endif %})
{%- elif ctx.sort == "all tables" %} ALL TABLES IN SCHEMA {{ ctx.object|ident }}
{%- elif ctx.sort == "all sequences" %} ALL SEQUENCES IN SCHEMA {{ ctx.object|ident }}
{%- else %} ALL ROUTINES IN SCHEMA {{ ctx.object|ident }}
{%- endif %}
{%- if gives %} TO{% else %} FROM{% endif %} {% if ctx.everybody %}PUBLIC{% else %}{{ ctx.grantee|ident }}{% endif %}
{%- if variant == "grant_option" %} WITH GRANT OPTION{% endif %}
{% endif %}
