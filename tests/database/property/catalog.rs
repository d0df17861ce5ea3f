//! What a database has, as its catalog says it and in the tests' own words: a line for each thing, and
//! the version of the row behind it, which any write makes another.

use crate::servers::Db;

use super::world::{World, literal};

/// The lines of a catalog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Catalog {
    /// What there is.
    pub lines: Vec<String>,
    /// The same with the versions of the rows.
    pub versions: Vec<String>,
}

/// Reads it.
pub fn read(db: &Db, world: &World) -> Catalog {
    let list = |names: &[String]| names.iter().map(|name| literal(name)).collect::<Vec<_>>().join(", ");
    let schemas = list(&world.schemas);
    let mut sql = PLAIN.replace("{schemas}", &schemas).replace("{roles}", &list(&world.roles));
    if db.tier().is_timescale() {
        sql = format!("{sql} UNION ALL {}", TIMESCALE.replace("{schemas}", &schemas));
    }
    let rows = db.lines(&format!("SELECT what, version FROM ({sql}) AS catalog ORDER BY 1, 2"));
    // What a line breaks in two is the same both times.
    let lines = rows.iter().map(|row| row.rsplit_once('|').map_or(row.as_str(), |(what, _)| what).to_owned());
    Catalog { lines: lines.collect(), versions: rows }
}

/// The first lines that one has and the other has not.
pub fn difference(before: &[String], after: &[String]) -> Option<String> {
    if before == after {
        return None;
    }
    let less = before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}"));
    let more = after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
    Some(less.chain(more).take(12).collect::<Vec<_>>().join("\n"))
}

const PLAIN: &str = "
SELECT format('relation %s.%s %s options %s rights %s', n.nspname, c.relname, c.relkind,
              ARRAY(SELECT o FROM unnest(c.reloptions) AS o ORDER BY 1),
              ARRAY(SELECT a::text FROM unnest(c.relacl) AS a ORDER BY 1)) AS what, c.xmin::text AS version
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname IN ({schemas})
UNION ALL
SELECT format('toast of %s options %s', c.relname, ARRAY(SELECT o FROM unnest(t.reloptions) AS o ORDER BY 1)), t.xmin::text
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
 WHERE n.nspname IN ({schemas})
UNION ALL
SELECT format('index %s valid %s', pg_catalog.pg_get_indexdef(i.indexrelid), i.indisvalid), i.xmin::text
  FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname IN ({schemas})
UNION ALL
SELECT format('role %s %s', to_jsonb(r) - 'oid', pg_catalog.shobj_description(r.oid, 'pg_authid')), a.xmin::text
  FROM pg_catalog.pg_roles AS r JOIN pg_catalog.pg_authid AS a ON a.oid = r.oid WHERE r.rolname IN ({roles})
UNION ALL
SELECT format('schema %s rights %s', n.nspname, ARRAY(SELECT a::text FROM unnest(n.nspacl) AS a ORDER BY 1)), n.xmin::text
  FROM pg_catalog.pg_namespace AS n WHERE n.nspname IN ({schemas})
UNION ALL
SELECT format('settings %s', ARRAY(SELECT s FROM unnest(d.setconfig) AS s ORDER BY 1)), d.xmin::text
  FROM pg_catalog.pg_db_role_setting AS d
 WHERE d.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())";

const TIMESCALE: &str = "
SELECT format('dimension %s.%s %s', h.schema_name, h.table_name, to_jsonb(d) - 'id' - 'hypertable_id'), d.xmin::text
  FROM _timescaledb_catalog.dimension AS d JOIN _timescaledb_catalog.hypertable AS h ON h.id = d.hypertable_id
 WHERE h.schema_name IN ({schemas}) OR h.schema_name = '_timescaledb_internal' AND h.table_name LIKE '_materialized%'
UNION ALL
SELECT format('skipping %s %s', h.table_name, s.column_name), s.xmin::text
  FROM _timescaledb_catalog.chunk_column_stats AS s JOIN _timescaledb_catalog.hypertable AS h ON h.id = s.hypertable_id
 WHERE s.chunk_id IS NULL OR s.chunk_id = 0
UNION ALL
SELECT format('columnstore %s', to_jsonb(c) - 'compress_relid'), c.xmin::text
  FROM _timescaledb_catalog.compression_settings AS c JOIN pg_catalog.pg_class AS r ON r.oid = c.relid
UNION ALL
SELECT format('job %s', to_jsonb(j) - 'job_id' - 'application_name' - 'next_start' - 'owner'), md5(to_jsonb(j)::text)
  FROM timescaledb_information.jobs AS j WHERE j.job_id >= 1000
UNION ALL
SELECT format('aggregate %s.%s %s %s', a.view_schema, a.view_name, a.materialized_only, a.view_definition), ''
  FROM timescaledb_information.continuous_aggregates AS a
UNION ALL
SELECT format('aggregate index %s', pg_catalog.pg_get_indexdef(i.indexrelid)), i.xmin::text
  FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
 WHERE c.relname LIKE '_materialized%'";
