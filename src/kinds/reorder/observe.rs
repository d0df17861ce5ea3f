//! Reorder policies as the catalog has them.

use crate::core::{Address, Live, QualifiedName, Query, Row, RowError, Server, Value};
use crate::kinds::{Scope, job, schedule};

/// The one query; nothing to ask without hypertables.
pub fn query(server: &Server, scope: &Scope) -> Option<Query> {
    (!scope.hypertables.is_empty()).then(|| Query {
        sql: job::on_server(include_str!("observe.sql"), server),
        params: vec![scope.hypertable_ids()],
    })
}

/// The resource in each row.
///
/// # Errors
/// When a row is not as the query gives it.
pub fn read(rows: &[Row]) -> Result<Vec<Live>, RowError> {
    rows.iter().map(read_one).collect()
}

fn read_one(row: &Row) -> Result<Live, RowError> {
    let on = QualifiedName::new(row.text("schema")?, row.text("name")?);
    let mut live = Live::new(Address::in_schema(super::ID, &on), Some(on));
    if let Some(index) = row.maybe_text("index")? {
        live.set("index", Value::text(index));
    }
    schedule::read_job(row, &mut live)?;
    Ok(live)
}
