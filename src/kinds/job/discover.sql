-- The user-defined actions of the database.
SELECT j.application_name::text AS name
  FROM _timescaledb_catalog.bgw_job AS j
 WHERE j.id >= 1000
   AND NOT (j.hypertable_id IS NOT NULL AND j.proc_schema = '_timescaledb_functions')
 ORDER BY j.id
