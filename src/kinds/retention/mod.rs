//! `retention`: the job that drops a hypertable's old chunks.

mod desired;
mod export;
mod filled;
mod observe;
mod refreshed;
mod rules;
#[cfg(test)]
mod tests;
mod weigh;

use std::collections::BTreeMap;

use schemars::JsonSchema as _;

use crate::core::{
    Address, Change, Delta, Desired, Ensure, KindId, Live, Op, Query, Row, RowError, Server, Value, Version,
};
use crate::diag::{Diagnostic, code};
use crate::kinds::{Column, Export, Judgement, Kind, Relation, Relations, Rules, Scope, Section, View, checks, job};

pub use refreshed::{AGES, looks_beyond};

const ID: KindId = KindId::new("retention");

/// Where time is no whole number, a job with `drop_created_before` fails at every run before this
/// (`could not find drop_after in config for job`: seen on 2.23; mended in 2.26.3 by its sources,
/// and seen to work on 2.29.2).
const CREATED_BEFORE_ON_TIME: Version = Version { major: 2, minor: 26, patch: 3 };

/// The kind.
pub struct Retention;

const fn section(document: &'static str) -> Section {
    Section {
        document,
        key: "retention",
        repeated: false,
        schema: desired::Retention::json_schema,
        expand: desired::expand,
    }
}

static SECTIONS: [Section; 2] = [section("table"), section("continuous_aggregate")];

impl Kind for Retention {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "retention policy"
    }

    fn rules(&self) -> &'static Rules {
        &rules::RULES
    }

    fn sections(&self) -> &'static [Section] {
        &SECTIONS
    }

    fn written(&self, server: &Server) -> Option<String> {
        server.timescaledb.as_ref().map(|_| job::on_server(include_str!("written.sql"), server))
    }

    fn observe(&self, server: &Server, scope: &Scope) -> Option<Query> {
        observe::query(server, scope)
    }

    fn read(&self, rows: &[Row], relations: &Relations) -> Result<Vec<Live>, RowError> {
        observe::read(rows, relations)
    }

    fn export(&self, live: &Live, view: &View<'_>) -> Export {
        export::export(live, view)
    }

    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        warn_of_other_jobs(desired, view, sink);
        if desired.ensure == Ensure::Absent {
            return Some(desired.clone());
        }
        let relation = job::relation("a retention policy", desired, view, sink)?;
        let fine = job::check_age("drop_after", desired, relation, view, sink)
            && job::check_created_before("drop_created_before", desired, relation, view, sink)
            && check_version(desired, relation, view, sink);
        fine.then(|| desired.clone())
    }

    fn check(&self, own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
        for desired in own {
            checks::age(desired, "drop_after", all, sink);
            check_against_columnstore(desired, all, sink);
            check_against_chunks(desired, all, sink);
        }
    }

    fn context(&self, delta: &Delta, view: &View<'_>) -> BTreeMap<String, Value> {
        job::context(delta, view)
    }

    /// The server starts the job as soon as it is there: what it drops is lost to a continuous
    /// aggregate that the same plan fills, and gone from under an index that it builds (XX000,
    /// `could not open relation`: seen on 2.28.3).
    /// One that only keeps more is no such thing.
    fn comes_at_the_end(&self, delta: &Delta) -> bool {
        let keeps_more = |change: &Change| match (&change.before, &change.after) {
            (_, Some(Value::Bool(true))) => change.attribute == "schedule.paused",
            (Some(before), Some(after)) => change.attribute.starts_with("drop_") && !can_exceed(before, after),
            _ => false,
        };
        delta.is_create() || !delta.is_remove() && !delta.changes.iter().all(keeps_more)
    }

    fn weigh(&self, deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
        weigh::query(deltas, view)
    }

    fn judge(&self, delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
        self.judge_among(delta, &[], op, weights, view)
    }

    fn judge_among(
        &self,
        delta: &Delta,
        others: &[Delta],
        op: Op,
        weights: &[Row],
        view: &View<'_>,
    ) -> Result<Judgement, RowError> {
        let mut judgement = weigh::judge(delta, op, weights, view)?;
        if !matches!(op, Op::Blocked | Op::Remove) {
            filled::judge(&mut judgement, delta, others, weights, view)?;
            judgement.diagnostics.extend(refreshed::judge(delta, others, weights, view)?);
        }
        Ok(judgement)
    }
}

/// A job that somebody made of the same procedure with `add_job`: it goes on dropping, whatever the
/// policy says.
fn warn_of_other_jobs(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(on) = &desired.on else { return };
    // Beside an archive it is worse, and told there.
    if view.desired.contains_key(&Address::in_schema(KindId::new("archive"), on)) {
        return;
    }
    for id in observe::jobs_beside(on, view) {
        let message = format!("the job {id}, made with `add_job`, drops chunks of {on} too");
        sink.push(
            Diagnostic::warning(&code::POLICY_CONFLICT, message)
                .at(&desired.place)
                .why(
                    "it goes by an age of its own, which no policy manages, and what it drops is in no count of a plan",
                )
                .help(format!("delete it with `delete_job({id})`, so that one policy says what goes")),
        );
    }
}

fn check_version(desired: &Desired, relation: &Relation, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> bool {
    let integer = view.time_column_of(relation).is_some_and(Column::is_integer);
    let old = view.server.timescale_version().is_some_and(|version| version < CREATED_BEFORE_ON_TIME);
    if desired.get("drop_created_before").is_none() || integer || !old {
        return true;
    }
    let message = "`drop_created_before` does not work on this version of TimescaleDB where time is no whole number";
    sink.push(
        Diagnostic::error(&code::NEEDS_NEWER_SERVER, message)
            .at(desired.place_of("drop_created_before"))
            .why("the server takes the policy, and then its job fails at every run and drops nothing")
            .help(format!("use `drop_after`, or upgrade TimescaleDB to {CREATED_BEFORE_ON_TIME} or newer")),
    );
    false
}

/// Whether a length of time can be longer than another; so too where they count time in other units.
fn can_exceed(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Interval(a), Value::Interval(b)) => a.can_exceed(b),
        (Value::Int(a), Value::Int(b)) => a > b,
        _ => true,
    }
}

/// Whether a length of time can be as long as another, where both count time alike.
fn can_reach(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Interval(a), Value::Interval(b)) => a.can_reach(b),
        (Value::Int(a), Value::Int(b)) => a >= b,
        _ => false,
    }
}

/// Whether a chunk, which is of 30 days for each month, is longer than data is kept, more or less.
fn is_longer(chunk: &Value, kept: &Value) -> bool {
    match (chunk, kept) {
        (Value::Interval(chunk), Value::Interval(kept)) => chunk.approximate_micros() > kept.approximate_micros(),
        (Value::Int(chunk), Value::Int(kept)) => chunk > kept,
        _ => false,
    }
}

/// The same table's resource of another kind, where the policies want it to be.
fn sibling<'a>(desired: &Desired, kind: &'static str, all: &'a BTreeMap<Address, Desired>) -> Option<&'a Desired> {
    checks::sibling(desired, kind, all).filter(|sibling| sibling.ensure == Ensure::Present)
}

fn check_against_columnstore(desired: &Desired, all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    let Some(columnstore) = sibling(desired, "columnstore", all) else { return };
    for (drops, converts) in [("drop_after", "after"), ("drop_created_before", "created_before")] {
        let (Some(drop), Some(convert)) = (desired.get(drops), columnstore.get(converts)) else { continue };
        if can_reach(convert, drop) {
            let message = format!("data is dropped after {drop}, before the columnstore takes it after {convert}");
            sink.push(
                Diagnostic::warning(&code::POLICY_CONFLICT, message)
                    .at(desired.place_of(drops))
                    .and_at(columnstore.place_of(converts), "the columnstore's age")
                    .why("no chunk lives long enough to be converted")
                    .help("convert earlier, keep data longer, or leave the columnstore's policy out"),
            );
        }
    }
}

fn check_against_chunks(desired: &Desired, all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    let Some(hypertable) = sibling(desired, "hypertable", all) else { return };
    let (Some(drop), Some(chunk)) = (desired.get("drop_after"), hypertable.get("chunk_interval")) else { return };
    if is_longer(chunk, drop) {
        let message = format!("chunks of {chunk} are longer than the {drop} that data is kept");
        sink.push(
            Diagnostic::warning(&code::POLICY_CONFLICT, message)
                .at(desired.place_of("drop_after"))
                .and_at(hypertable.place_of("chunk_interval"), "the length of a chunk")
                .why(format!("a chunk is dropped as a whole, once all of it is old: rows stay up to {chunk} longer"))
                .help("make chunks shorter than the retention, so that it takes effect in smaller steps"),
        );
    }
}
