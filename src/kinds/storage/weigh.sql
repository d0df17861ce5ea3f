-- Which of the relations in $1 have no TOAST table.
SELECT c.oid AS without_toast
FROM pg_catalog.pg_class AS c
WHERE c.oid = ANY ($1) AND c.reltoastrelid = 0
