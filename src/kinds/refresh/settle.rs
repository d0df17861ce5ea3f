//! What the server makes impossible of a desired refresh policy.

use crate::core::{Desired, Ensure, Interval, Value, Version};
use crate::diag::{Diagnostic, code};
use crate::kinds::refresh::conflicts;
use crate::kinds::{Column, Relation, Stored, View, job};

/// The first with batches (`sql/policy_api.sql`, 2.18 and 2.19).
const BATCHES: Version = Version::new(2, 19);
/// The first with `refresh_newest_first` (the same, 2.19 and 2.20).
const NEWEST_FIRST: Version = Version::new(2, 20);
/// The first that takes several policies for one aggregate (`tsl/src/bgw_policy`, 2.20 and 2.21).
pub const SEVERAL: Version = Version::new(2, 21);

/// Checks it; its form is the server's already.
pub fn settle(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
    if desired.ensure == Ensure::Absent {
        return Some(desired.clone());
    }
    let relation = job::relation("a refresh policy", desired, view, sink)?;
    if relation.stored == Stored::Itself {
        let message = format!("{} is no continuous aggregate, and needs no refresh", relation.name);
        sink.push(Diagnostic::error(&code::NOT_A_TABLE, message).at(&desired.place));
        return None;
    }
    let errors = sink.len();
    let desired = &in_its_unit(desired, relation, view);
    for attribute in ["start_offset", "end_offset"] {
        job::check_age(attribute, desired, relation, view, sink);
    }
    check_present(desired, view, sink);
    conflicts::check_live_sources(desired, view, sink);
    conflicts::check_live_window(desired, view, sink);
    for (attribute, version) in
        [("buckets_per_batch", BATCHES), ("max_batches_per_execution", BATCHES), ("refresh_newest_first", NEWEST_FIRST)]
    {
        if desired.get(attribute).is_some() {
            needs(desired, attribute, &format!("`{attribute}`"), version, view, sink);
        }
    }
    let same =
        |other: &Desired| other.address.kind == super::ID && other.on == desired.on && other.ensure == Ensure::Present;
    let first = view.desired.values().find(|other| same(other)).map(|other| &other.address);
    if first.is_some_and(|first| *first != desired.address) {
        needs(desired, "start_offset", "a second refresh policy of one aggregate", SEVERAL, view, sink);
    }
    (!sink.iter().skip(errors).any(Diagnostic::is_error)).then(|| desired.clone())
}

/// Nothing is nothing, whatever time is counted in.
fn in_its_unit(desired: &Desired, relation: &Relation, view: &View<'_>) -> Desired {
    let mut desired = desired.clone();
    let is_number = view.time_column_of(relation).is_some_and(Column::is_integer);
    let (written, meant) = match is_number {
        true => (Value::Interval(Interval::default()), Value::Int(0)),
        false => (Value::Int(0), Value::Interval(Interval::default())),
    };
    for attribute in ["start_offset", "end_offset"] {
        if desired.get(attribute) == Some(&written) {
            desired.set(attribute, meant.clone());
        }
    }
    desired
}

fn needs(
    desired: &Desired,
    attribute: &str,
    what: &str,
    version: Version,
    view: &View<'_>,
    sink: &mut Vec<Diagnostic>,
) {
    if view.server.timescale_version().is_some_and(|have| have < version) {
        sink.push(
            Diagnostic::error(&code::NEEDS_NEWER_SERVER, format!("{what} needs TimescaleDB {version}"))
                .at(desired.place_of(attribute))
                .help("upgrade TimescaleDB, or take it out of the policy"),
        );
    }
}

/// A window without either end needs no present; one with an end on whole-number time does, which
/// [`job::check_age`] says only of what is written.
fn check_present(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    let (Some(on), Value::Null) = (&desired.on, desired.get("end_offset").unwrap_or(&Value::Null)) else { return };
    let relation = view.relations.get(on).map(crate::kinds::Relation::to_come);
    let integer =
        relation.and_then(|relation| view.time_column_of(relation)).is_some_and(crate::kinds::Column::is_integer);
    if integer && desired.get("start_offset") == Some(&Value::Null) && job::integer_now(on, view).is_none() {
        sink.push(
            Diagnostic::error(&code::NO_INTEGER_NOW, format!("nothing tells the present of {on}"))
                .at(&desired.place)
                .why("time is a whole number there, and a refresh policy goes by the present")
                .help("write `integer_now` in the `hypertable` section of the table that it reads"),
        );
    }
}
