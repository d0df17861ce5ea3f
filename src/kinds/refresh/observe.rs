//! Refresh policies as the catalog has them.

use crate::core::{Cell, Live, QualifiedName, Query, Row, RowError, Server, Value};
use crate::kinds::{Relations, Scope, job, schedule};

/// The one query; nothing to ask without hypertables.
pub fn query(server: &Server, scope: &Scope) -> Option<Query> {
    server.timescale_version()?;
    scope.aggregates.then(|| Query {
        sql: job::on_server(include_str!("observe.sql"), server),
        params: vec![scope.hypertable_ids()],
    })
}

/// The resource in each row, by its job's number until it is identified.
///
/// # Errors
/// When a row is not as the query gives it.
pub fn read(rows: &[Row], _relations: &Relations) -> Result<Vec<Live>, RowError> {
    rows.iter().map(read_one).collect()
}

fn read_one(row: &Row) -> Result<Live, RowError> {
    let on = QualifiedName::new(row.text("schema")?, row.text("name")?);
    let mut live = Live::new(super::address(&on, Some(&row.int("job_id")?.to_string())), Some(on));
    for attribute in ["start_offset", "end_offset"] {
        let value = match (row.maybe_interval(attribute)?, row.maybe_int(&format!("{attribute}_integer"))?) {
            (Some(interval), _) => Value::Interval(interval),
            (None, Some(number)) => Value::Int(number),
            (None, None) => Value::Null,
        };
        live.set(attribute, value);
    }
    for attribute in ["buckets_per_batch", "max_batches_per_execution"] {
        if let Some(number) = row.maybe_int(attribute)? {
            live.set(attribute, number);
        }
    }
    if *row.cell("refresh_newest_first") != Cell::Null {
        live.set("refresh_newest_first", row.bool("refresh_newest_first")?);
    }
    schedule::read_job(row, &mut live)?;
    Ok(live)
}
