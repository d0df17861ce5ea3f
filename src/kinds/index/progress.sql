-- How far the build of an index has come, of a session with our own application name: in chunks
-- where TimescaleDB counts them, else in blocks, rows or waiting sessions, whichever the phase counts.
SELECT
    CASE
        WHEN p.partitions_total > 0 THEN p.partitions_done
        WHEN p.blocks_total > 0 THEN p.blocks_done
        WHEN p.tuples_total > 0 THEN p.tuples_done
        ELSE p.lockers_done
    END AS done,
    CASE
        WHEN p.partitions_total > 0 THEN p.partitions_total
        WHEN p.blocks_total > 0 THEN p.blocks_total
        WHEN p.tuples_total > 0 THEN p.tuples_total
        ELSE p.lockers_total
    END AS total,
    CASE WHEN p.partitions_total > 0 THEN 'building index, chunk by chunk' ELSE p.phase END AS phase
FROM pg_catalog.pg_stat_progress_create_index AS p
JOIN pg_catalog.pg_stat_activity AS a ON a.pid = p.pid
WHERE p.datname = pg_catalog.current_database()
    AND a.application_name = pg_catalog.current_setting('application_name')
ORDER BY a.query_start DESC
LIMIT 1
