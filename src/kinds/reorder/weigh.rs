//! What a reorder policy would write anew.

use crate::core::{Bytes, Delta, Impact, Op, Param, Query, Row, RowError};
use crate::kinds::{Judgement, View, chunks, job};

/// Whether a delta newly orders chunks by an index.
fn is_ordered_anew(delta: &Delta) -> bool {
    delta.desired.is_some() && (delta.is_create() || delta.change("index").is_some())
}

/// The one query for all deltas.
pub fn query(deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
    let (mut oids, mut ids) = (Vec::new(), Vec::new());
    for delta in deltas.iter().filter(|delta| is_ordered_anew(delta)) {
        let Some(relation) = delta.on.as_ref().and_then(|on| view.relations.get(on)) else { continue };
        if let Some(hypertable) = &relation.hypertable {
            oids.push(relation.oid);
            ids.push(Some(hypertable.id));
        }
    }
    let zones: Vec<&str> = deltas.iter().filter_map(|delta| job::new_timezone(delta)).collect();
    if oids.is_empty() && zones.is_empty() {
        return None;
    }
    let params = vec![Param::Oids(oids), Param::Ints(ids), Param::texts(zones)];
    Some(Query { sql: chunks::on_server(include_str!("weigh.sql"), "$2", view.server), params })
}

/// What is wrong with one delta, and what it touches.
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn judge(delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
    let mut judgement = Judgement::default();
    if op == Op::Blocked {
        return Ok(judgement);
    }
    judgement.diagnostics.extend(job::not_owner(delta, view));
    if op == Op::Remove {
        return Ok(judgement);
    }
    judgement.diagnostics.extend(job::owner_cannot_log_in(delta, view));
    judgement.diagnostics.extend(job::unknown_timezone(delta, weights)?);
    let Some(relation) = delta.on.as_ref().and_then(|on| view.relations.get(on)) else { return Ok(judgement) };
    for row in weights {
        if row.text("what")? == "reorders" && row.oid("oid")? == relation.oid {
            judgement.impact = Some(impact(row)?);
        }
    }
    Ok(judgement)
}

fn impact(row: &Row) -> Result<Impact, RowError> {
    let mut notes = vec!["one chunk a run, which blocks writes to it meanwhile and reads at the end".to_owned()];
    if let Some(largest) = job::count(row, "largest")? {
        notes.push(format!("each is written anew beside itself: {} of disk space for the largest", Bytes(largest)));
    }
    Ok(Impact {
        verb: "reorders".to_owned(),
        when: Some("run by run".to_owned()),
        chunks: job::count(row, "chunks")?,
        bytes: job::count(row, "bytes")?.map(Bytes),
        oldest: row.maybe_text("oldest")?.map(str::to_owned),
        newest: row.maybe_text("newest")?.map(str::to_owned),
        notes,
        ..Impact::default()
    })
}
