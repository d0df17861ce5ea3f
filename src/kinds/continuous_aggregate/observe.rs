//! Continuous aggregates as the catalog has them.

use super::fill;
use crate::core::{Address, Interval, Live, Param, QualifiedName, Query, Row, RowError, Server, SqlText, Value};
use crate::kinds::{Relations, Scope};

/// The fact of how long the chunks are of what it reads.
pub const SOURCE_INTERVAL: &str = "source_interval";

/// The one query; nothing to ask without hypertables.
pub fn query(server: &Server, scope: &Scope) -> Option<Query> {
    server.timescale_version()?;
    scope.aggregates.then(|| Query {
        sql: include_str!("observe.sql").to_owned(),
        params: vec![scope.hypertable_ids(), Param::Text(fill::MARK.to_owned())],
    })
}

/// The resource in each row.
///
/// # Errors
/// When a row is not as the query gives it.
pub fn read(rows: &[Row], relations: &Relations) -> Result<Vec<Live>, RowError> {
    rows.iter().map(|row| read_one(row, relations)).collect()
}

fn read_one(row: &Row, relations: &Relations) -> Result<Live, RowError> {
    let name = QualifiedName::new(row.text("schema")?, row.text("name")?);
    let mut live = Live::new(Address::in_schema(super::ID, &name), Some(name.clone()));
    // The server's text begins on the line of its SELECT, indented by a space, and ends in a semicolon.
    let text = row.text("query")?.trim().trim_end_matches(';');
    let closed = SqlText::new(text).map_err(|_| RowError { column: "query".to_owned(), expected: "closed query" })?;
    live.set("query", Value::Sql(closed));
    live.set("materialized_only", row.bool("materialized_only")?);
    live.set("with_data", !row.bool("never_filled")?);
    if row.bool("is_being_filled")? {
        live.set(fill::ATTRIBUTE, Value::text(fill::BEGUN));
    }
    if let Some(time) = relations.get(&name).and_then(|relation| relation.hypertable.as_ref()?.time()) {
        if let Some(interval) = time.interval {
            live.set("chunk_interval", interval);
        }
        if let Some(length) = time.integer_interval {
            live.set("chunk_interval", length);
        }
        // Time is of one type in both.
        let length = row.maybe_int("source_interval")?;
        match (length, time.integer_interval) {
            (Some(length), Some(_)) => live.set_fact(SOURCE_INTERVAL, length),
            (Some(micros), None) => {
                if let Some(interval) = Interval::micros(micros).flattened() {
                    live.set_fact(SOURCE_INTERVAL, interval);
                }
            }
            (None, _) => {}
        }
    }
    live.passing = &["with_data", "never_refreshed", SOURCE_INTERVAL];
    live.set_fact("never_refreshed", row.bool("never_refreshed")?);
    live.set_fact("finalized", row.bool("finalized")?);
    let source = QualifiedName::new(row.text("source_schema")?, row.text("source_name")?);
    live.set_fact("source", Value::Name(source));
    if let (Some(schema), Some(name)) = (row.maybe_text("parent_schema")?, row.maybe_text("parent_name")?) {
        live.set_fact("parent", Value::Name(QualifiedName::new(schema, name)));
    }
    Ok(live)
}
