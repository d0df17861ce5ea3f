{% include "continuous_aggregate/_create.sql" %}
