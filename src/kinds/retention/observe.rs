//! Retention policies as the catalog has them.

use crate::core::{Address, Live, QualifiedName, Query, Row, RowError, Server};
use crate::kinds::{KnownAs, Relations, Scope, job, schedule};

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
pub fn read(rows: &[Row], relations: &Relations) -> Result<Vec<Live>, RowError> {
    let known = KnownAs::new(relations);
    rows.iter().map(|row| read_one(row, &known)).collect()
}

fn read_one(row: &Row, known: &KnownAs<'_>) -> Result<Live, RowError> {
    let on = known.name(QualifiedName::new(row.text("schema")?, row.text("name")?));
    let mut live = Live::new(Address::in_schema(super::ID, &on), Some(on));
    // One of them only: the server goes by the creation of chunks where the job has both.
    if let Some(interval) = row.maybe_interval("drop_created_before")? {
        live.set("drop_created_before", interval);
    } else if let Some(interval) = row.maybe_interval("drop_after")? {
        live.set("drop_after", interval);
    } else if let Some(number) = row.maybe_int("drop_after_integer")? {
        live.set("drop_after", number);
    }
    schedule::read_job(row, &mut live)?;
    Ok(live)
}
