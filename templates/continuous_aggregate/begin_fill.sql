{# Whoever finds this knows that the aggregate is still to be filled. #}
{% include "continuous_aggregate/_mark.sql" %}
