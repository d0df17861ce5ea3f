//! The `refresh` section of a `continuous_aggregate` document: one item is one policy.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use crate::core::{Desired, Ensure, Interval, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::SectionInput;
use crate::kinds::job::{self, Age};
use crate::kinds::schedule::Schedule;

/// A policy that refreshes a continuous aggregate, for a window of time that moves with the present.
/// From TimescaleDB 2.21 on there may be several, for windows that do not overlap.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The policy's name, by which it is known in plans and in the ledger. The database does not keep
    /// it: there, policies are told apart by their windows. Only one policy of an aggregate may go
    /// without.
    #[schemars(length(min = 1), example = &"recent")]
    pub name: Option<String>,
    /// Whether the policy must exist.
    #[serde(default)]
    pub ensure: Ensure,
    /// How far back the window begins: an interval before the present, or a whole number where time is
    /// one. Without it, at the beginning of all rows.
    #[serde(default)]
    #[schemars(schema_with = "offset_schema")]
    pub start_offset: Option<Age>,
    /// How far back the window ends, so that what still changes is not refreshed over and over. `0` is the
    /// present, and what is negative lies ahead of it. Without it, at the newest row.
    #[serde(default)]
    #[schemars(schema_with = "offset_schema")]
    pub end_offset: Option<Age>,
    /// When the job runs. `every` is required: TimescaleDB has no default for it.
    pub schedule: Option<Schedule>,
    /// How many buckets one transaction refreshes; 0 for all at once. Without it, TimescaleDB's own
    /// choice, which is then not compared. TimescaleDB 2.19 and newer.
    #[schemars(range(min = 0, max = 2_147_483_647), example = 10)]
    pub buckets_per_batch: Option<i64>,
    /// How many such transactions one run may make; 0 for as many as it takes. TimescaleDB 2.19 and
    /// newer.
    #[schemars(range(min = 0, max = 2_147_483_647), example = 20)]
    pub max_batches_per_execution: Option<i64>,
    /// Whether the newest buckets come first. TimescaleDB 2.20 and newer.
    pub refresh_newest_first: Option<bool>,
}

/// The schema of an offset: an [`Age`] that may also be of the present or ahead of it.
fn offset_schema(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": ["string", "integer"], "examples": ["90 days", 7_776_000] })
}

/// Sets an attribute to an offset, read at the key of the same name.
fn offset(age: &Age, attribute: &str, input: &SectionInput<'_>, desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
    match age {
        Age::Text(text) if text.trim() == "0" => input.set(desired, attribute, &format!("/{attribute}"), 0),
        Age::Text(text) => match Interval::parse(text) {
            Ok(interval) => input.set(desired, attribute, &format!("/{attribute}"), interval),
            Err(_) => age.apply(attribute, input, desired, sink),
        },
        Age::Integer(_) => age.apply(attribute, input, desired, sink),
    }
}

/// The resource of an item.
pub fn expand(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let Some(raw) = input.read::<Refresh>(sink) else { return Vec::new() };
    let errors = sink.len();
    let on = input.head.relation.clone();
    if let Some(name) = raw.name.as_ref().filter(|name| name.contains('\0') || name.trim().is_empty()) {
        sink.push(
            Diagnostic::error(&code::BAD_NAME, format!("{name:?} is no name"))
                .at(input.place("/name"))
                .help("take a word that says what the policy is for, such as `recent`"),
        );
        return Vec::new();
    }
    let mut desired = input.desired(super::address(&on, raw.name.as_deref()), Some(on));
    desired.place = input.place(if raw.name.is_some() { "/name" } else { "" }).clone();
    desired.ensure = raw.ensure;
    if raw.ensure == Ensure::Absent {
        return vec![desired];
    }
    for (attribute, age) in [("start_offset", &raw.start_offset), ("end_offset", &raw.end_offset)] {
        match age {
            Some(age) => offset(age, attribute, input, &mut desired, sink),
            // That an end is open is itself a statement.
            None => desired.set(attribute, Value::Null),
        }
    }
    for (attribute, number) in
        [("buckets_per_batch", raw.buckets_per_batch), ("max_batches_per_execution", raw.max_batches_per_execution)]
    {
        if let Some(number) = number {
            input.set(&mut desired, attribute, &format!("/{attribute}"), number);
        }
    }
    if let Some(newest_first) = raw.refresh_newest_first {
        input.set(&mut desired, "refresh_newest_first", "/refresh_newest_first", newest_first);
    }
    schedule(&raw, input, &mut desired, sink);
    if sink.iter().skip(errors).any(Diagnostic::is_error) { Vec::new() } else { vec![desired] }
}

fn schedule(raw: &Refresh, input: &SectionInput<'_>, desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
    let schedule = raw.schedule.as_ref();
    if schedule.is_none_or(|schedule| schedule.every.is_none()) {
        sink.push(
            Diagnostic::error(&code::MISSING_KEY, "a refresh policy needs `schedule: {every: …}`")
                .at(input.place(if schedule.is_some() { "/schedule" } else { "" }))
                .why("TimescaleDB has no default for how often it runs")
                .help("say how often, such as `schedule: {every: 1 hour}`"),
        );
    }
    if let Some(schedule) = schedule {
        schedule.apply(input, "/schedule", desired, sink);
        job::check_schedule(desired, sink);
    }
}
