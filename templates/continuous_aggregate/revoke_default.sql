{# What nobody granted on the one before, or revoked from its owner, is not on this one either. #}
REVOKE {% if item.privileges is none %}ALL{% else %}{% for privilege in item.privileges %}{{ privilege|privilege }}{% if not loop.last %}, {% endif %}{% endfor %}{% endif %} ON {{ item.table|ident }} FROM {% if item.everybody %}PUBLIC{% else %}{{ item.grantee|ident }}{% endif %}
