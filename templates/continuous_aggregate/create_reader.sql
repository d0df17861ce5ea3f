{# Gone with what it reads, it is there again before anybody can miss it. #}
{% include "continuous_aggregate/_create.sql" %}
