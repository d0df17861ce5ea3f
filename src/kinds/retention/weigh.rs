//! What a change to a retention policy would drop.

use super::{AGES, filled, refreshed};
use crate::core::{Bytes, Delta, Desired, Hazard, Impact, Live, Op, Param, Query, Row, RowError, Value};
use crate::kinds::chunks::{self, AgeColumns, Ages};
use crate::kinds::{Judgement, Relation, Stored, View, job};

/// The ages before and after, where the change can make the job drop more than it would have.
fn ages(delta: &Delta) -> Option<(Ages<'_>, Ages<'_>)> {
    let desired = delta.desired.as_ref()?;
    // An age counts whether or not the job runs: resuming it later is an operator's statement, which
    // no plan is asked about.
    let resumed = delta.change("schedule.paused").is_some() && !is_kept_paused(desired);
    if !delta.is_create() && !resumed && AGES.iter().all(|name| delta.change(name).is_none()) {
        return None;
    }
    // A paused job drops nothing: all that is due counts as new, also where it stays paused.
    let running = delta.live.as_ref().filter(|live| !live.paused);
    let before = |name: &str| running.and_then(|live: &Live| live.get(name));
    Some((
        Ages { after: before("drop_after"), created_before: before("drop_created_before") },
        Ages { after: desired.get("drop_after"), created_before: desired.get("drop_created_before") },
    ))
}

fn is_kept_paused(desired: &Desired) -> bool {
    desired.get("schedule.paused").and_then(Value::as_bool) == Some(true)
}

/// What it is on, unless the plan is yet to make that: then there is nothing to count.
fn relation<'a>(delta: &Delta, view: &View<'a>) -> Option<&'a Relation> {
    view.relations.get(delta.on.as_ref()?).filter(|relation| relation.stored != Stored::Nowhere)
}

/// The one query for all deltas.
pub fn query(deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
    let (mut oids, mut ids, mut types) = (Vec::new(), Vec::new(), Vec::new());
    let (mut coming, mut in_force) = (AgeColumns::default(), AgeColumns::default());
    for delta in deltas {
        let (Some((before, after)), Some(relation)) = (ages(delta), relation(delta, view)) else { continue };
        let Some(hypertable) = &relation.hypertable else { continue };
        if after.is_counted(relation, view) {
            oids.push(relation.oid);
            ids.push(Some(hypertable.id));
            types.push(chunks::counted_in(relation, view));
            coming.push(after, relation);
            in_force.push(before.countable(relation), relation);
        }
    }
    let zones: Vec<&str> = deltas.iter().filter_map(|delta| job::new_timezone(delta)).collect();
    let filled = filled::params(deltas, view);
    let refreshed = refreshed::params(deltas, view);
    if oids.is_empty() && zones.is_empty() && filled::is_nothing(&filled) && refreshed::is_nothing(&refreshed) {
        return None;
    }
    let mut params = vec![Param::Oids(oids)];
    params.extend(coming.into_params());
    params.extend(in_force.into_params());
    params.extend([Param::Texts(types), Param::Ints(ids), Param::texts(zones)]);
    params.extend(filled);
    params.extend(refreshed);
    let sql = job::on_server(include_str!("weigh.sql"), view.server);
    let sql = chunks::on_server(&sql, "$9", view.server);
    Some(Query { sql, params })
}

/// The hazards and the impact of one delta.
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
    let (Some((_, after)), Some(relation)) = (ages(delta), relation(delta, view)) else { return Ok(judgement) };
    judgement.impact = match after.uncountable(relation, view) {
        Some(why) => {
            judgement.diagnostics.extend(job::failing_now(delta, "drop_after", relation));
            Some(unknown(why))
        }
        None => counted(relation, weights)?,
    };
    if let Some(impact) = &mut judgement.impact {
        judgement.hazards.push(Hazard::DeletesData);
        impact.notes.extend(foreign_keys(relation, weights)?);
        impact.notes.extend(stays_paused(delta));
    }
    if let Some(note) = job::age_that_goes(delta, AGES).filter(|_| op == Op::Update) {
        judgement.impact.get_or_insert_default().notes.push(note);
    }
    Ok(judgement)
}

/// When a job does what it does.
pub fn first_run() -> Option<String> {
    Some("on its first run".to_owned())
}

/// What is not known is taken for the worst.
fn unknown(why: String) -> Impact {
    let verb = "drops an unknown number of chunks".to_owned();
    Impact { verb, when: first_run(), notes: vec![why], ..Impact::default() }
}

fn counted(relation: &Relation, weights: &[Row]) -> Result<Option<Impact>, RowError> {
    for row in weights {
        if row.text("what")? == "drops" && row.oid("oid")? == relation.oid {
            let impact = Impact {
                verb: "drops".to_owned(),
                when: first_run(),
                chunks: job::count(row, "chunks")?,
                rows: job::count(row, "rows")?,
                bytes: job::count(row, "bytes")?.map(Bytes),
                oldest: row.maybe_text("oldest")?.map(str::to_owned),
                newest: row.maybe_text("newest")?.map(str::to_owned),
                ..Impact::default()
            };
            return Ok(Some(impact.of_chunks(row.ints("chunk_ids")?)));
        }
    }
    Ok(None)
}

/// `drop_chunks` takes ACCESS EXCLUSIVE on every table that a chunk has a foreign key to.
fn foreign_keys(relation: &Relation, weights: &[Row]) -> Result<Option<String>, RowError> {
    let mut tables = Vec::new();
    for row in weights {
        if row.text("what")? == "foreign key" && row.oid("oid")? == relation.oid {
            tables.extend(row.maybe_text("name")?);
        }
    }
    tables.dedup();
    let note = || format!("each run also locks {} against reads and writes, by foreign key", tables.join(", "));
    Ok((!tables.is_empty()).then(note))
}

/// Neither the policy's pause nor an operator's is lifted by a change of age; what is counted waits
/// for the resumption.
pub fn stays_paused(delta: &Delta) -> Option<String> {
    let desired = delta.desired.as_ref()?;
    let by_operator = delta.live.as_ref().is_some_and(|live| live.paused) && desired.get("schedule.paused").is_none();
    (by_operator || is_kept_paused(desired))
        .then(|| "the job is paused, and drops nothing before it is resumed".to_owned())
}
