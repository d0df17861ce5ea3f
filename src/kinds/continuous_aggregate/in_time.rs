//! Whether rows are in an aggregate before what it is made from drops them, as far as the policies tell.

use std::collections::BTreeMap;

use super::{DROPS_UNREFRESHED, ID, bucket_width, query, sources};
use crate::core::{Address, Desired, Ensure, Interval, KindId, QualifiedName, SqlText, Value};
use crate::diag::Diagnostic;

type All = BTreeMap<Address, Desired>;

const PAUSED: &str = "schedule.paused";

/// Warns of each aggregate that rows may never get into.
pub fn check(own: &[&Desired], all: &All, sink: &mut Vec<Diagnostic>) {
    let present = own.iter().filter(|aggregate| aggregate.ensure == Ensure::Present);
    for aggregate in present {
        let (Some(on), Some(ours)) = (&aggregate.on, query(aggregate.get("query"))) else { continue };
        for source in sources(ours) {
            sink.extend(drops(&source, all).and_then(|drops| Pair { aggregate, on, ours, source, drops }.warning(all)));
        }
    }
}

/// What drops rows of a relation, and after how long.
#[derive(Clone, Copy)]
struct Drops<'a> {
    policy: &'a Desired,
    attribute: &'static str,
    kept: &'a Value,
}

fn drops<'a>(of: &QualifiedName, all: &'a All) -> Option<Drops<'a>> {
    let wanted = |kind: &'static str| {
        let found = all.get(&Address::in_schema(KindId::new(kind), of));
        found.filter(|policy| policy.ensure == Ensure::Present && !is(policy, PAUSED))
    };
    let by = |policy: &'a Desired, attribute| Some(Drops { policy, attribute, kept: policy.get(attribute)? });
    let retention = wanted("retention");
    let ages = ["drop_after", "drop_created_before"];
    let by_retention = ages.into_iter().find_map(|attribute| by(retention?, attribute));
    by_retention.or_else(|| by(wanted("archive").filter(|archive| is(archive, "drop"))?, "after"))
}

fn is(desired: &Desired, attribute: &str) -> bool {
    desired.get(attribute) == Some(&Value::Bool(true))
}

/// An aggregate and something that it reads and that drops its rows.
struct Pair<'a> {
    aggregate: &'a Desired,
    on: &'a QualifiedName,
    ours: &'a SqlText,
    source: QualifiedName,
    drops: Drops<'a>,
}

impl Pair<'_> {
    fn warning(&self, all: &All) -> Option<Diagnostic> {
        let (on, source, kept) = (self.on, &self.source, self.drops.kept);
        let running: Vec<&Desired> = running(on, all).collect();
        if running.is_empty() {
            let message = format!("nothing refreshes {on}, and {source} drops its rows after {kept}");
            let help = "add a `refresh` section; where a job does it that no policy describes, describe that too";
            return Some(self.said(message).at(&self.aggregate.place).help(help));
        }
        let steady: Vec<&Desired> = running.iter().copied().filter(|refresh| is_steady(refresh, self.ours)).collect();
        let (refresh, late) = earliest(if steady.is_empty() { &running } else { &steady }, self.ours, all)?;
        if reaches(&late, kept) {
            let message = format!("{source} drops its rows after {kept}, and {on} may have them only after {late}");
            let help = format!("keep the rows for longer than {late}, or refresh {}", sooner(self.ours, all));
            return Some(self.said(message).at(refresh.place_of("end_offset")).why(WAITS).help(help));
        }
        let least = least_start(refresh, self.ours).filter(|_| steady.is_empty())?;
        let message = format!("{source} drops its rows after {kept}, and the refresh of {on} passes over some of them");
        let help = format!("write a `start_offset` of at least {least}, or let it run more often");
        Some(self.said(message).at(refresh.place_of("start_offset")).why(PASSES_OVER).help(help))
    }

    fn said(&self, message: String) -> Diagnostic {
        let policy = self.drops.policy;
        Diagnostic::warning(&DROPS_UNREFRESHED, message)
            .and_at(policy.place_of(self.drops.attribute), "rows are dropped after this")
    }
}

const WAITS: &str = "a row waits until its bucket and `end_offset` are over and the job runs; what is dropped before that \
                     is never in the aggregate";
const PASSES_OVER: &str = "between two runs the window moves on by more than it is long, and what no window held is \
                           never in the aggregate";

/// What there is to be shortened.
fn sooner(ours: &SqlText, all: &All) -> &'static str {
    let reads_another = sources(ours).iter().any(|source| all.contains_key(&Address::in_schema(ID, source)));
    if reads_another {
        "sooner, this or what it reads: by a shorter `end_offset`, or a shorter `every`"
    } else {
        "sooner: by a shorter `end_offset`, or a shorter `every`"
    }
}

/// The refresh policies of an aggregate that are to run.
fn running<'a>(on: &'a QualifiedName, all: &'a All) -> impl Iterator<Item = &'a Desired> {
    let refresh = KindId::new("refresh");
    let of_it = move |other: &&Desired| other.address.kind == refresh && other.on.as_ref() == Some(on);
    all.values().filter(of_it).filter(|other| other.ensure == Ensure::Present && !is(other, PAUSED))
}

/// The policy that brings rows in first, and how old they may be by then.
fn earliest<'a>(policies: &[&'a Desired], ours: &SqlText, all: &All) -> Option<(&'a Desired, Value)> {
    let above = in_what_it_reads(ours, all, &mut Vec::new());
    let late = policies.iter().map(|refresh| (*refresh, lateness(refresh, ours, above.as_ref())));
    late.min_by_key(|(_, late)| length(late))
}

/// How old a row may be when a policy brings it in: once its bucket is over, and it is in what is read, the next
/// run comes within the job's interval. Where time is a whole number, that interval tells nothing.
fn lateness(refresh: &Desired, ours: &SqlText, above: Option<&Value>) -> Value {
    let closed = match end(refresh) {
        Some(end) => plus(end.clone(), bucket_width(ours)),
        None => none_like(bucket_width(ours)),
    };
    // What ends ahead of the present waits for nothing.
    let closed = if length(&closed) < 0 { none_like(Some(closed)) } else { closed };
    let ready = above.filter(|above| length(above) > length(&closed)).cloned().unwrap_or(closed);
    plus(ready, refresh.get("schedule.every").cloned())
}

/// How old a row may be when it is in the aggregates that a query reads.
fn in_what_it_reads(ours: &SqlText, all: &All, seen: &mut Vec<QualifiedName>) -> Option<Value> {
    let mut latest: Option<Value> = None;
    for source in sources(ours) {
        if seen.contains(&source) {
            continue;
        }
        seen.push(source.clone());
        let theirs = all.get(&Address::in_schema(ID, &source)).and_then(|aggregate| query(aggregate.get("query")));
        let Some(theirs) = theirs else { continue };
        let above = in_what_it_reads(theirs, all, seen);
        let late = running(&source, all).map(|refresh| lateness(refresh, theirs, above.as_ref()));
        let first = late.min_by_key(length);
        latest = latest.into_iter().chain(first).max_by_key(length);
    }
    latest
}

/// Whether no bucket is passed over from one run to the next, as far as both count alike.
fn is_steady(refresh: &Desired, ours: &SqlText) -> bool {
    let start = refresh.get("start_offset").filter(|start| **start != Value::Null);
    let (Some(start), Some(least)) = (start, least_start(refresh, ours)) else { return true };
    std::mem::discriminant(start) != std::mem::discriminant(&least) || length(start) >= length(&least)
}

/// How far back a window must begin, so that each bucket is in one of them.
fn least_start(refresh: &Desired, ours: &SqlText) -> Option<Value> {
    let every = refresh.get("schedule.every").cloned();
    match end(refresh) {
        Some(end) => Some(plus(plus(end.clone(), bucket_width(ours)), every)),
        // One that ends at the newest row takes in the bucket that is not over, and the next begins with a whole one.
        None => every.map(|every| plus(every, bucket_width(ours))),
    }
}

fn end(refresh: &Desired) -> Option<&Value> {
    refresh.get("end_offset").filter(|end| **end != Value::Null)
}

/// The sum, where both count alike.
fn plus(one: Value, other: Option<Value>) -> Value {
    match (&one, other) {
        (Value::Interval(a), Some(Value::Interval(b))) => Value::Interval(Interval {
            months: a.months.saturating_add(b.months),
            days: a.days.saturating_add(b.days),
            micros: a.micros.saturating_add(b.micros),
        }),
        (Value::Int(a), Some(Value::Int(b))) => Value::Int(a.saturating_add(b)),
        _ => one,
    }
}

/// No time at all, in the unit of a bucket.
fn none_like(width: Option<Value>) -> Value {
    if let Some(Value::Int(_)) = width { Value::Int(0) } else { Value::Interval(Interval::default()) }
}

fn length(value: &Value) -> i128 {
    match value {
        Value::Interval(interval) => interval.approximate_micros(),
        Value::Int(number) => i128::from(*number),
        _ => 0,
    }
}

fn reaches(late: &Value, kept: &Value) -> bool {
    match (late, kept) {
        (Value::Interval(late), Value::Interval(kept)) => late.can_reach(kept),
        (Value::Int(late), Value::Int(kept)) => late >= kept,
        _ => false,
    }
}
