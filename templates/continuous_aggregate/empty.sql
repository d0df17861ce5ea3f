{# What drops the aggregate does not drop the tables of its compressed chunks (seen on 2.28.3): they would stay,
   with their rows, and belong to nothing. Dropping the chunks does. #}
SELECT c::text AS chunk FROM {{ ts|ident }}.drop_chunks({{ item }}::regclass, created_before => 'infinity'::timestamptz) AS c
