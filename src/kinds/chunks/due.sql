    SELECT w.oid, c.chunk::oid AS chunk
      FROM {wanted} AS w
     CROSS JOIN LATERAL {ts}.show_chunks(w.oid::regclass, older_than => w.after) AS c (chunk)
     WHERE w.after IS NOT NULL
     UNION ALL
    SELECT w.oid, c.chunk::oid
      FROM {wanted} AS w
     CROSS JOIN LATERAL {ts}.show_chunks(w.oid::regclass, created_before => w.created_before) AS c (chunk)
     WHERE w.created_before IS NOT NULL
     UNION ALL
    SELECT w.oid, c.chunk::oid
      FROM {wanted} AS w
     CROSS JOIN LATERAL {ts}.show_chunks(w.oid::regclass, older_than => w.before::smallint) AS c (chunk)
     WHERE w.before IS NOT NULL AND w.counted_in = 'smallint'
     UNION ALL
    SELECT w.oid, c.chunk::oid
      FROM {wanted} AS w
     CROSS JOIN LATERAL {ts}.show_chunks(w.oid::regclass, older_than => w.before::integer) AS c (chunk)
     WHERE w.before IS NOT NULL AND w.counted_in = 'integer'
     UNION ALL
    SELECT w.oid, c.chunk::oid
      FROM {wanted} AS w
     CROSS JOIN LATERAL {ts}.show_chunks(w.oid::regclass, older_than => w.before) AS c (chunk)
     WHERE w.before IS NOT NULL AND w.counted_in = 'bigint'
