//! What a change to a columnstore would touch.

use crate::core::{Address, Bytes, Delta, Hazard, Impact, Op, Param, Query, Row, RowError, Value};
use crate::diag::Diagnostic;
use crate::kinds::chunks::{self, AgeColumns, Ages};
use crate::kinds::columnstore::{SETTINGS, UNSUPPORTED_TABLE, settings, settle};
use crate::kinds::{Judgement, Relation, Stored, View, job, recompression};

/// The policy's ages, where a change makes its job convert chunks.
fn ages(delta: &Delta) -> Option<Ages<'_>> {
    let desired = delta.desired.as_ref()?;
    if desired.get("schedule.paused").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let relevant = ["enabled", "after", "created_before", "schedule.paused"];
    if !delta.is_create() && relevant.iter().all(|name| delta.change(name).is_none()) {
        return None;
    }
    let set = |name: &str| desired.get(name).filter(|value| **value != Value::Null);
    let ages = Ages { after: set("after"), created_before: set("created_before") };
    (ages != Ages::default()).then_some(ages)
}

fn is_enabled_anew(delta: &Delta) -> bool {
    delta.desired.is_some() && (delta.is_create() || delta.change("enabled").is_some())
}

/// Whether the job does nothing at its runs but fail: see [`settle::lacks_now`].
fn fails(ages: &Ages<'_>, relation: &Relation, view: &View<'_>) -> bool {
    ages.after.is_some_and(|after| after.as_int().is_some()) && settle::lacks_now(relation, view)
}

/// What it is on, unless the plan is yet to make that: then there is nothing to count.
fn relation<'a>(delta: &Delta, view: &View<'a>) -> Option<&'a Relation> {
    view.relations.get(delta.on.as_ref()?).filter(|relation| relation.stored != Stored::Nowhere)
}

/// The one query for all deltas.
pub fn query(deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
    let (mut oids, mut ids, mut types, mut enabled) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut coming = AgeColumns::default();
    for delta in deltas {
        let Some(relation) = relation(delta, view) else { continue };
        if is_enabled_anew(delta) {
            enabled.push(relation.oid);
        }
        let Some(hypertable) = &relation.hypertable else { continue };
        ids.push(Some(hypertable.id));
        let counted = |ages: &Ages<'_>| ages.is_counted(relation, view) && !fails(ages, relation, view);
        if let Some(ages) = ages(delta).filter(counted) {
            oids.push(relation.oid);
            types.push(chunks::counted_in(relation, view));
            coming.push(ages, relation);
        }
    }
    let zones: Vec<&str> = deltas.iter().filter_map(|delta| job::new_timezone(delta)).collect();
    if ids.is_empty() && enabled.is_empty() && zones.is_empty() {
        return None;
    }
    let mut params = vec![Param::Oids(oids)];
    params.extend(coming.into_params());
    params.extend([Param::Texts(types), Param::Ints(ids), Param::Oids(enabled), Param::texts(zones)]);
    Some(Query { sql: chunks::on_server(include_str!("weigh.sql"), "$6", view.server), params })
}

/// The hazards and the impact of one delta.
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn judge(delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
    let mut judgement = Judgement::default();
    let Some(relation) = relation(delta, view) else { return Ok(judgement) };
    let mut rows = Vec::new();
    for row in weights {
        if row.maybe_int("oid")? == Some(i64::from(relation.oid)) {
            rows.push((row.text("what")?, row));
        }
    }
    if op != Op::Blocked {
        judgement.diagnostics.extend(job::not_owner(delta, view));
    }
    match op {
        Op::Remove => {
            judgement.impact = removal(&rows)?;
            if judgement.impact.is_some() {
                judgement.hazards = vec![Hazard::RewritesTable, Hazard::BlocksWrites, Hazard::BlocksReads];
            }
        }
        Op::Blocked => {}
        Op::Create | Op::Update | Op::Replace => {
            judgement.diagnostics.extend(no_job(delta, view));
            judgement.diagnostics.extend(job::unknown_timezone(delta, weights)?);
            judgement.diagnostics.extend(obstacles(delta, relation, &rows)?);
            let unknown = ages(delta).and_then(|ages| unknown(delta, ages, relation, view, &mut judgement.diagnostics));
            judgement.impact = unknown.map_or_else(|| first_run(&rows), |unknown| Ok(Some(unknown)))?;
            if let Some(note) = job::age_that_goes(delta, ["after", "created_before"]) {
                judgement.impact.get_or_insert_default().notes.push(note);
            }
            let notes: Vec<String> = left_again(delta).into_iter().chain(old_settings(delta, &rows, view)?).collect();
            if !notes.is_empty() {
                let only_settings =
                    || Impact { verb: "is for chunks converted from now on".to_owned(), ..Impact::default() };
                judgement.impact.get_or_insert_with(only_settings).notes.extend(notes);
            }
        }
    }
    Ok(judgement)
}

/// Why its policy cannot be made, where there is to be one and is none yet.
fn no_job(delta: &Delta, view: &View<'_>) -> Option<Diagnostic> {
    let has = |age: &&str| delta.live.as_ref().is_some_and(|live| live.get(age).is_some_and(|age| *age != Value::Null));
    let desired = delta.desired.as_ref()?;
    let wants = |age: &&str| desired.get(age).is_some_and(|age| *age != Value::Null);
    let ages = ["after", "created_before"];
    let is_new = ages.iter().any(wants) && !ages.iter().any(has);
    is_new.then(|| job::job_of_who_cannot_log_in(desired, view)).flatten()
}

/// Rows of one relation, each with what it tells.
type Rows<'a> = [(&'a str, &'a Row)];

fn first_run(rows: &Rows<'_>) -> Result<Option<Impact>, RowError> {
    let Some((_, row)) = rows.iter().find(|(what, _)| *what == "converts") else { return Ok(None) };
    Ok(Some(Impact {
        verb: "compresses".to_owned(),
        when: Some("on its first run".to_owned()),
        chunks: job::count(row, "chunks")?,
        bytes: job::count(row, "bytes")?.map(Bytes),
        oldest: row.maybe_text("oldest")?.map(str::to_owned),
        newest: row.maybe_text("newest")?.map(str::to_owned),
        ..Impact::default()
    }))
}

/// What cannot be counted, because what tells the present fails.
fn unknown(
    delta: &Delta,
    ages: Ages<'_>,
    relation: &Relation,
    view: &View<'_>,
    sink: &mut Vec<Diagnostic>,
) -> Option<Impact> {
    let said = job::failing_now(delta, "after", relation)?;
    let why = ages.uncountable(relation, view)?;
    sink.push(said);
    let verb = "compresses an unknown number of chunks".to_owned();
    Some(Impact { verb, when: Some("on its first run".to_owned()), notes: vec![why], ..Impact::default() })
}

/// What is converted back before the columnstore can be disabled.
fn removal(rows: &Rows<'_>) -> Result<Option<Impact>, RowError> {
    let (mut chunks, mut now, mut then) = (0, 0, 0);
    for (_, row) in rows.iter().filter(|(what, _)| *what == "holds") {
        chunks += job::count(row, "chunks")?.unwrap_or(0);
        now += job::count(row, "bytes")?.unwrap_or(0);
        then += job::count(row, "bytes_as_rows")?.unwrap_or(0);
    }
    if chunks == 0 {
        return Ok(None);
    }
    let note = format!("they take {} now, and took {} before they were compressed", Bytes(now), Bytes(then));
    Ok(Some(Impact {
        verb: "decompresses".to_owned(),
        chunks: Some(chunks),
        bytes: Some(Bytes(then)),
        notes: vec![note],
        ..Impact::default()
    }))
}

/// Which settings go back to TimescaleDB's choice.
fn left_again(delta: &Delta) -> Option<String> {
    let names: Vec<&str> = SETTINGS.into_iter().filter(|name| settings::is_left_again(delta, name)).collect();
    let (last, others) = names.split_last()?;
    let names = if others.is_empty() { (*last).to_owned() } else { format!("{} and {last}", others.join(", ")) };
    Some(format!("{names} {} TimescaleDB's own choice again", if others.is_empty() { "is" } else { "are" }))
}

/// How many compressed chunks keep the settings that they were converted with.
fn old_settings(delta: &Delta, rows: &Rows<'_>, view: &View<'_>) -> Result<Option<String>, RowError> {
    let Some(desired) = &delta.desired else { return Ok(None) };
    if SETTINGS.iter().all(|name| delta.change(name).is_none()) {
        return Ok(None);
    }
    let (mut all, mut old) = (0, 0);
    for (_, row) in rows.iter().filter(|(what, _)| *what == "holds") {
        let chunks = job::count(row, "chunks")?.unwrap_or(0);
        let kept = settings::read(row)?;
        let none = Value::List(Vec::new());
        let differs = |name: &&str| match desired.get(name) {
            // What TimescaleDB will choose is not known; that a chunk has what is given up, is.
            Some(wanted) if settings::is_auto(wanted) => {
                delta.change(name).is_some_and(|change| change.before.as_ref() == kept.get(*name))
            }
            Some(wanted) => wanted != kept.get(*name).unwrap_or(&none),
            None => false,
        };
        all += chunks;
        old += if SETTINGS.iter().any(differs) { chunks } else { 0 };
    }
    let operation = delta.on.as_ref().map(|on| Address::in_schema(recompression::ID, on));
    let until = match operation.is_some_and(|address| view.desired.contains_key(&address)) {
        true => "until `chronoform run maintenance` recompresses them",
        false => "until they are recompressed",
    };
    let note = || format!("{old} of {all} compressed chunks keep the old settings {until}");
    Ok((old > 0).then(note))
}

/// What else is on the table that the columnstore cannot be enabled beside
/// (`validate_hypertable_for_compression` and `validate_existing_constraints` in
/// `tsl/src/compression/create.c`, 2.16 to 2.29; the trigger from 2.18 on).
fn obstacles(delta: &Delta, relation: &Relation, rows: &Rows<'_>) -> Result<Vec<Diagnostic>, RowError> {
    let Some(desired) = &delta.desired else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (what, row) in rows {
        let name = row.maybe_text("name")?.unwrap_or_default();
        let (obstacle, help) = match *what {
            "row security" => ("row security is enabled on it".to_owned(), "disable row security on it"),
            "exclusion constraint" => (format!("it has the exclusion constraint \"{name}\""), "drop the constraint"),
            "delete trigger" => (
                format!("the trigger \"{name}\" keeps the rows that a DELETE removes in a transition table"),
                "drop the trigger, or make it a row trigger",
            ),
            _ => continue,
        };
        let message = format!("the columnstore cannot be enabled on {}: {obstacle}", relation.name);
        let help = format!("{help}, or take the columnstore out of the policy");
        found.push(Diagnostic::error(&UNSUPPORTED_TABLE, message).at(&desired.place).help(help));
    }
    Ok(found)
}
