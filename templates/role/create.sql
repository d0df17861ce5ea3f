CREATE ROLE {{ name|ident }}
{% include "role/_attributes.sql" %}
