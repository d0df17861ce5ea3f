{% if facts.clustered %}
ALTER TABLE {{ table|ident }} CLUSTER ON {{ name|ident }}
{% endif %}
