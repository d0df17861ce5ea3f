//! What the server makes of a desired job, and what makes one impossible.

use crate::core::{Desired, Edition, Ensure, Live, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::job::{AMBIGUOUS, NAMED, UNKNOWN_PROCEDURE, identity};
use crate::kinds::{View, checks};

/// Brings it to the form in which the catalog would show it.
pub fn settle(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
    let live = view.live.get(&desired.address);
    if let Some(candidates) = live.and_then(|live| live.fact(identity::CANDIDATES)) {
        sink.push(ambiguous(desired, candidates));
        return None;
    }
    if desired.ensure == Ensure::Absent {
        return Some(desired.clone());
    }
    if let Some(error) = unsupported(desired, view) {
        sink.push(error);
        return None;
    }
    if let Some(error) = live.and_then(|live| gone(desired, live)) {
        sink.push(error);
        return None;
    }
    let mut settled = desired.clone();
    if view.server.timescale_version().is_some_and(|version| version >= NAMED) {
        // A job that is adopted without a name is given one along with its first change.
        if !live.is_some_and(identity::is_unnamed) {
            settled.set("job_name", Value::text(&desired.address.name));
        }
    } else if let Some(twin) = view.desired.values().find(|other| is_twin(desired, other)) {
        sink.push(
            Diagnostic::error(&AMBIGUOUS, "two policies describe jobs of one procedure with the same configuration")
                .at(&desired.place)
                .and_at(&twin.place, "the other")
                .why(format!(
                    "TimescaleDB before {NAMED} keeps no name of a job, so that nothing would tell them apart"
                ))
                .help("give each a configuration of its own, or leave one out"),
        );
        return None;
    }
    Some(settled)
}

fn is_twin(desired: &Desired, other: &Desired) -> bool {
    other.address.kind == super::ID
        && other.address != desired.address
        && other.ensure == Ensure::Present
        && ["procedure", "config"].into_iter().all(|attribute| other.get(attribute) == desired.get(attribute))
}

fn ambiguous(desired: &Desired, candidates: &Value) -> Diagnostic {
    let lines: Vec<&str> = candidates.as_list().iter().filter_map(Value::as_text).collect();
    let message = format!("it cannot be told which live job is `{}`", desired.address.name);
    Diagnostic::error(&AMBIGUOUS, message)
        .at(&desired.place)
        .why(format!("none of these is known to be it, and any could be:\n{}", lines.join("\n")))
        .help(
            "make it known: bring the one that is meant to the policy's procedure and configuration \
             (`alter_job(NUMBER, config => …)`, or write its configuration here), delete what nobody needs \
             (`delete_job(NUMBER)`), and describe each of the others in a document of its own",
        )
}

fn unsupported(desired: &Desired, view: &View<'_>) -> Option<Diagnostic> {
    let Some(timescale) = &view.server.timescaledb else {
        return Some(checks::needs_timescaledb("a job", desired, view));
    };
    if timescale.edition == Edition::Community {
        return None;
    }
    let message =
        format!("a job needs the Community edition of TimescaleDB, and the server runs the {}", timescale.edition);
    let why = format!("under `timescaledb.license = {}` the server refuses it with SQLSTATE 0A000", timescale.license);
    Some(
        Diagnostic::error(&code::NEEDS_COMMUNITY, message)
            .at(&desired.place)
            .why(why)
            .help("install the Community module and set `timescaledb.license = timescale`, or take this document out"),
    )
}

/// The job is there, and what it runs is not: every run of it fails.
fn gone(desired: &Desired, live: &Live) -> Option<Diagnostic> {
    let procedure = desired.get("procedure")?;
    if live.get("procedure") != Some(procedure) || live.fact("procedure_exists") != Some(&Value::Bool(false)) {
        return None;
    }
    let message = format!("{procedure}(integer, jsonb), which the job runs, is gone");
    Some(
        Diagnostic::error(&UNKNOWN_PROCEDURE, message)
            .at(desired.place_of("procedure"))
            .why("every run of the job fails")
            .help("create it again, or write `ensure: absent`"),
    )
}

/// What the policies alone tell: two that describe the same job.
pub fn check(own: &[&Desired], sink: &mut Vec<Diagnostic>) {
    for (at, desired) in own.iter().enumerate() {
        let earlier = own.iter().take(at).find(|other| is_twin(desired, other));
        if let Some(other) = earlier.filter(|_| desired.ensure == Ensure::Present) {
            sink.push(
                Diagnostic::warning(&code::POLICY_CONFLICT, "two jobs run the same with the same configuration")
                    .at(&desired.place)
                    .and_at(&other.place, "the other")
                    .why("both run, each on its own schedule")
                    .help("leave one out, unless that is meant"),
            );
        }
    }
}
