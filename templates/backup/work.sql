{% if item.work == "backup" -%}
-- chronoform backup run --type {{ item.due|ident }}
{%- elif item.work == "checksums" -%}
-- chronoform backup verify
{%- elif item.work == "drill" -%}
-- chronoform backup drill
{%- else -%}
-- chronoform backup expire
{%- endif %}
