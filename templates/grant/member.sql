{% if ctx.sort == "role" %}
{% if ctx.ends %}
REVOKE {{ ctx.object|ident }} FROM {{ ctx.grantee|ident }}
{% elif server.postgres < 16 and ctx.admin is not none and not ctx.admin and changed.member is not defined %}
REVOKE ADMIN OPTION FOR {{ ctx.object|ident }} FROM {{ ctx.grantee|ident }}
{% elif server.postgres < 16 %}
GRANT {{ ctx.object|ident }} TO {{ ctx.grantee|ident }}{% if ctx.admin is not none and ctx.admin %} WITH ADMIN OPTION{% endif %}
{% else %}
GRANT {{ ctx.object|ident }} TO {{ ctx.grantee|ident }}
{%- if ctx.admin is not none or ctx.inherit is not none or ctx.set is not none %} WITH
{%- if ctx.admin is not none %} ADMIN {% if ctx.admin %}TRUE{% else %}FALSE{% endif %}{% if ctx.inherit is not none or ctx.set is not none %},{% endif %}{% endif %}
{%- if ctx.inherit is not none %} INHERIT {% if ctx.inherit %}TRUE{% else %}FALSE{% endif %}{% if ctx.set is not none %},{% endif %}{% endif %}
{%- if ctx.set is not none %} SET {% if ctx.set %}TRUE{% else %}FALSE{% endif %}{% endif %}
{%- endif %}
{% endif %}
{% endif %}
