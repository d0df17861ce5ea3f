{% if changed.comment is defined %}COMMENT ON ROLE {{ name|ident }} IS {{ after.comment }}{% endif %}
