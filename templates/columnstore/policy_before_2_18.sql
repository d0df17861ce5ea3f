{#- One statement for what the policy is to be: none, a new one, or the same job with another configuration,
    which keeps its history. -#}
{%- set wanted = (after.after is defined and after.after is not none) or (after.created_before is defined and after.created_before is not none) %}
{%- if not wanted %}
{%- if facts.job_id is defined %}
SELECT {{ ts|ident }}.remove_compression_policy({{ table }})
{%- endif %}
{%- elif facts.job_id is not defined %}
SELECT {{ ts|ident }}.add_compression_policy({{ table }},
{%- if after.after is defined %}
    compress_after => {{ after.after }}
{%- else %}
    compress_created_before => {{ after.created_before }}
{%- endif %}
{%- include "job/_arguments.sql" %})
{%- else %}
SELECT {{ ts|ident }}.alter_job(job_id
{%- if changed.after is defined %},
    config => (config - 'compress_created_before') || jsonb_build_object('compress_after', {{ after.after }})
{%- elif changed.created_before is defined %},
    config => (config - 'compress_after') || jsonb_build_object('compress_created_before', {{ after.created_before }})
{%- endif %}
{%- include "job/_times.sql" %}
{%- include "job/_timezone.sql" %})
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_compression'
{%- include "job/_of_relation.sql" %}
{%- endif %}
