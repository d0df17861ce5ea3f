{% include "continuous_aggregate/_mark.sql" %}
