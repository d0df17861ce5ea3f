//! Which chunks are to be recompressed, and what that takes.

use std::collections::BTreeMap;

use crate::core::{Bytes, Delta, Impact, Op, Param, QualifiedName, Query, Row, RowError, Value};
use crate::kinds::columnstore::{self, settings};
use crate::kinds::recompression::observe::{Settings, is_behind};
use crate::kinds::{Judgement, View, chunks, job};

fn hypertable_id(delta: &Delta, view: &View<'_>) -> Option<i64> {
    Some(view.live_hypertable(delta.on.as_ref()?)?.id)
}

/// The one query for all deltas.
pub fn query(deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
    let ids: Vec<Option<i64>> = deltas.iter().filter_map(|delta| hypertable_id(delta, view)).map(Some).collect();
    if ids.is_empty() {
        return None;
    }
    let sql = chunks::on_server(include_str!("weigh.sql"), "$1", view.server);
    Some(Query { sql, params: vec![Param::Ints(ids)] })
}

/// The chunks of a delta's table: those that are behind, and how many there are in all.
fn chunks_of<'a>(delta: &Delta, weights: &'a [Row], view: &View<'_>) -> Result<(Vec<&'a Row>, u64), RowError> {
    let (Some(id), Some(on)) = (hypertable_id(delta, view), &delta.on) else { return Ok((Vec::new(), 0)) };
    let table: Settings = columnstore::live_settings(on, view);
    let (mut behind, mut all) = (Vec::new(), 0);
    for row in weights {
        if row.int("hypertable_id")? == id {
            all += 1;
            if is_behind(&table, &settings::read(row)?) {
                behind.push(row);
            }
        }
    }
    Ok((behind, all))
}

/// One item a chunk.
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn items(delta: &Delta, weights: &[Row], view: &View<'_>) -> Result<Vec<Value>, RowError> {
    let (behind, _) = chunks_of(delta, weights, view)?;
    let item = |row: &&Row| {
        let chunk = QualifiedName::new(row.text("schema")?, row.text("name")?);
        Ok(Value::Map(BTreeMap::from([("chunk".to_owned(), Value::Name(chunk))])))
    };
    behind.iter().map(item).collect()
}

/// What one delta takes.
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn judge(delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
    let mut judgement = Judgement::default();
    if op == Op::Blocked {
        return Ok(judgement);
    }
    judgement.diagnostics.extend(job::not_owner(delta, view));
    let (behind, all) = chunks_of(delta, weights, view)?;
    let (mut bytes, mut largest) = (0, 0);
    let (mut oldest, mut newest) = (None, None);
    let mut ids = Vec::new();
    for row in &behind {
        let (now, as_rows) = (job::count(row, "bytes")?.unwrap_or(0), job::count(row, "bytes_as_rows")?.unwrap_or(0));
        bytes += now;
        largest = largest.max(now + as_rows);
        newest = newest.or(row.maybe_text("range_end")?);
        oldest = row.maybe_text("range_start")?.or(oldest);
        ids.push(row.int("oid")?);
    }
    let done = all - behind.len() as u64;
    let impact = Impact {
        verb: "recompresses".to_owned(),
        chunks: Some(behind.len() as u64),
        bytes: Some(Bytes(bytes)),
        oldest: oldest.map(str::to_owned),
        newest: newest.map(str::to_owned),
        notes: vec![
            format!("{done} of {all} chunks converged"),
            format!(
                "one chunk after another, each in a transaction of its own: up to {} of disk space meanwhile",
                Bytes(largest)
            ),
        ],
        ..Impact::default()
    };
    judgement.impact = Some(impact.of_chunks(ids));
    Ok(judgement)
}
