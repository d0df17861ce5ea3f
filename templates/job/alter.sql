{# Keeps the job, its number and its history. One that is adopted without a name is given its own. #}
SELECT {{ ts|ident }}.alter_job({{ facts.job_id }}
{%- if changed.job_name is defined %},
    job_name => {{ after.job_name }}
{%- elif before.job_name is defined and after.job_name is not defined %},
    job_name => {{ name }}
{%- endif %}
{%- if changed.config is defined %},
    config => {{ after.config }}::jsonb
{%- endif %}
{%- if changed.check_config is defined %},
    check_config => {% if after.check_config is defined %}{{ ctx.check_config }}::regprocedure::oid::regproc{% else %}0::oid::regproc{% endif %}
{%- endif %}
{%- if changed.schedule.every is defined %},
    schedule_interval => {{ after.schedule.every }}
{%- endif %}
{%- if changed.schedule.initial_start is defined %},
    fixed_schedule => true,
    initial_start => {{ after.schedule.initial_start }}
{%- elif changed.schedule.fixed is defined %},
    fixed_schedule => {{ after.schedule.fixed }}
{%- endif %}
{%- with told = changed %}{% include "job/_limits.sql" %}{% endwith %}
{%- include "job/_timezone.sql" %})
