//! Columnstores as the catalog has them.

use crate::core::{Address, Cell, Live, Param, QualifiedName, Query, Row, RowError, Server};
use crate::kinds::columnstore::settings::{self, SPARSE_INDEX};
use crate::kinds::{KnownAs, Relations, Scope, job, schedule};

/// The one query; nothing to ask without hypertables.
pub fn query(server: &Server, scope: &Scope) -> Option<Query> {
    let version = server.timescale_version()?;
    if scope.hypertables.is_empty() {
        return None;
    }
    let number = i64::from(version.major) * 100 + i64::from(version.minor);
    let sql = job::on_server(include_str!("observe.sql"), server);
    let sql = if version < SPARSE_INDEX { sql.replace("s.index::text", "NULL::text") } else { sql };
    Some(Query { sql, params: vec![scope.hypertable_oids(), scope.hypertable_ids(), Param::Int(number)] })
}

/// The resource in each row.
///
/// # Errors
/// When a row is not as the query gives it.
pub fn read(rows: &[Row], relations: &Relations) -> Result<Vec<Live>, RowError> {
    let known = KnownAs::new(relations);
    rows.iter().map(|row| read_one(row, &known)).collect()
}

fn read_one(row: &Row, known: &KnownAs<'_>) -> Result<Live, RowError> {
    let on = known.name(QualifiedName::new(row.text("schema")?, row.text("name")?));
    let mut live = Live::new(Address::in_schema(super::ID, &on), Some(on));
    live.set("enabled", row.bool("enabled")?);
    live.attributes.extend(settings::read(row)?);
    // One of them only: the server goes by row time where the job has both ages.
    if let Some(interval) = row.maybe_interval("after")? {
        live.set("after", interval);
    } else if let Some(number) = row.maybe_int("after_integer")? {
        live.set("after", number);
    } else if let Some(interval) = row.maybe_interval("created_before")? {
        live.set("created_before", interval);
    }
    if *row.cell("job_id") != Cell::Null {
        schedule::read_job(row, &mut live)?;
    }
    Ok(live)
}
