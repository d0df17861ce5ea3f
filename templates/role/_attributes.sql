{# What a role may do, as far as it is told. #}
{% if changed.login is defined %}    {% if not after.login %}NO{% endif %}LOGIN
{% endif %}
{% if changed.superuser is defined %}    {% if not after.superuser %}NO{% endif %}SUPERUSER
{% endif %}
{% if changed.createdb is defined %}    {% if not after.createdb %}NO{% endif %}CREATEDB
{% endif %}
{% if changed.createrole is defined %}    {% if not after.createrole %}NO{% endif %}CREATEROLE
{% endif %}
{% if changed.inherit is defined %}    {% if not after.inherit %}NO{% endif %}INHERIT
{% endif %}
{% if changed.replication is defined %}    {% if not after.replication %}NO{% endif %}REPLICATION
{% endif %}
{% if changed.bypassrls is defined %}    {% if not after.bypassrls %}NO{% endif %}BYPASSRLS
{% endif %}
{% if changed.connection_limit is defined %}    CONNECTION LIMIT {{ after.connection_limit }}
{% endif %}
{% if changed.valid_until is defined %}    VALID UNTIL {% if after.valid_until is none %}'infinity'{% else %}{{ after.valid_until }}{% endif %}
{% endif %}
