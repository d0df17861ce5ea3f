//! Columnstores as the catalog has them.

use crate::core::{Address, Cell, Live, Param, QualifiedName, Query, Row, RowError, Server, Value};
use crate::kinds::columnstore::settings;
use crate::kinds::{Scope, job, schedule};

/// The one query; nothing to ask without TimescaleDB.
pub fn query(server: &Server, scope: &Scope) -> Option<Query> {
    server.timescaledb.as_ref()?;
    Some(Query {
        sql: job::on_server(include_str!("observe.sql"), server),
        params: vec![Param::Oids(scope.oids.clone())],
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
    live.set("enabled", row.bool("enabled")?);
    live.attributes.extend(settings::read(row)?);
    // Always there, so that no policy and another policy are both seen as differences.
    // The server goes by row time where the job has both ages.
    let after = age(row)?;
    let created_before = row.maybe_interval("created_before")?.filter(|_| after == Value::Null);
    live.set("after", after);
    live.set("created_before", created_before.map_or(Value::Null, Value::Interval));
    if *row.cell("job_id") != Cell::Null {
        schedule::read_job(row, &mut live)?;
    }
    Ok(live)
}

fn age(row: &Row) -> Result<Value, RowError> {
    Ok(match (row.maybe_interval("after")?, row.maybe_int("after_integer")?) {
        (Some(interval), _) => Value::Interval(interval),
        (None, Some(number)) => Value::Int(number),
        (None, None) => Value::Null,
    })
}
