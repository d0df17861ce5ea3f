-- $1 time zones: those that the server does not know.
SELECT 'unknown time zone'::text AS what, z.name
  FROM pg_catalog.unnest($1::text[]) AS z (name)
 WHERE z.name !~ '[0-9]'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS t WHERE lower(t.name) = lower(z.name))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_abbrevs AS t WHERE lower(t.abbrev) = lower(z.name))
 ORDER BY 2
