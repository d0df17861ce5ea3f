//! `refresh`: the jobs that keep a continuous aggregate up to date. There may be several, each for a
//! window of time of its own.

mod conflicts;
mod desired;
mod export;
mod identify;
mod observe;
mod rules;
mod settle;
mod swap;
#[cfg(test)]
mod tests;
mod weigh;

use std::collections::BTreeMap;

use crate::core::{
    Address, Applied, Delta, Desired, Impact, KindId, Live, Op, QualifiedName, Query, Row, RowError, Server, Value,
};
use crate::diag::Diagnostic;
use crate::kinds::{After, Export, Judgement, Kind, Relations, Rules, Scope, Section, View, chunks, job};

const ID: KindId = KindId::new("refresh");

static SECTIONS: [Section; 1] = [Section {
    document: "continuous_aggregate",
    key: "refresh",
    repeated: true,
    schema: |generator| generator.subschema_for::<desired::Refresh>(),
    expand: desired::expand,
}];

/// The kind.
pub struct Refresh;

/// The address of a policy of an aggregate, by the policy's own name; the one without a name has the
/// aggregate's.
fn address(on: &QualifiedName, name: Option<&str>) -> Address {
    let name = name.map_or_else(|| on.name.clone(), |name| format!("{}:{name}", on.name));
    Address::in_schema(ID, &QualifiedName::new(&on.schema, name))
}

/// A length of time as one number, as the server compares windows and buckets: microseconds, with a
/// month of 30 days, or what a whole-number time counts in.
fn length(value: &Value) -> Option<i128> {
    match value {
        Value::Interval(interval) => Some(interval.approximate_micros()),
        Value::Int(number) => Some((*number).into()),
        _ => None,
    }
}

/// Whether one length of time can be longer than another, by the calendar; where both count alike.
fn can_exceed(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Interval(a), Value::Interval(b)) => a.can_exceed(b),
        (Value::Int(a), Value::Int(b)) => a > b,
        _ => false,
    }
}

/// From when to when before the present a policy refreshes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Window {
    /// The farther end; `i128::MAX` where it is open.
    start: i128,
    /// The nearer end; `i128::MIN` where it is open.
    end: i128,
}

impl Window {
    fn of(attribute: impl Fn(&str) -> Option<Value>) -> Self {
        let length = |name: &str| attribute(name).as_ref().and_then(length);
        Self { start: length("start_offset").unwrap_or(i128::MAX), end: length("end_offset").unwrap_or(i128::MIN) }
    }

    fn of_desired(desired: &Desired) -> Self {
        Self::of(|name| desired.get(name).cloned())
    }

    fn of_live(live: &Live) -> Self {
        Self::of(|name| live.get(name).cloned())
    }

    fn overlaps(self, other: Self) -> bool {
        self.end.max(other.end) < self.start.min(other.start)
    }
}

/// The attributes of a job that is made: what is wanted, and of one that is made again what it had.
fn made(delta: &Delta) -> Value {
    let had = delta.live.iter().flat_map(|live| &live.attributes);
    let wanted = delta.desired.iter().flat_map(|desired| &desired.attributes);
    let (mut made, mut schedule) = (BTreeMap::new(), BTreeMap::new());
    for (name, value) in had.chain(wanted) {
        match name.strip_prefix("schedule.") {
            Some(rest) => schedule.insert(rest.to_owned(), value.clone()),
            None => made.insert(name.clone(), value.clone()),
        };
    }
    made.insert("schedule".to_owned(), Value::Map(schedule));
    Value::Map(made)
}

impl Kind for Refresh {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "refresh policy"
    }

    fn rules(&self) -> &'static Rules {
        &rules::RULES
    }

    fn sections(&self) -> &'static [Section] {
        &SECTIONS
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

    fn is_nameless(&self) -> bool {
        true
    }

    fn identify(
        &self,
        mut found: Vec<Live>,
        desired: &BTreeMap<Address, Desired>,
        applied: &BTreeMap<Address, Applied>,
    ) -> Vec<Live> {
        identify::identify(&mut found, desired, applied);
        found
    }

    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        settle::settle(desired, view, sink)
    }

    fn check(&self, own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
        conflicts::check(own, all, sink);
    }

    fn is_implied(&self, attribute: &str, value: &Value) -> bool {
        attribute.ends_with("_offset") && *value == Value::Null
    }

    /// Among others whether time is counted in smallint, which the server then wants a window to be of
    /// (22023, `invalid parameter value for start_offset`: seen on 2.23.0-dev and 2.28.3).
    fn context(&self, delta: &Delta, view: &View<'_>) -> BTreeMap<String, Value> {
        let circle = swap::Circle::of(delta, view).filter(|circle| circle.first == delta.address);
        let cleared = circle.map(|circle| circle.cleared()).unwrap_or_default();
        let relation = delta.on.as_ref().and_then(|on| view.relations.get(on));
        let small = relation.and_then(|it| chunks::counted_in(it, view)).is_some_and(|of| of == "smallint");
        BTreeMap::from([
            ("cleared".to_owned(), Value::List(cleared)),
            ("made".to_owned(), made(delta)),
            ("small".to_owned(), small.into()),
        ])
    }

    fn holds(&self, condition: &str, delta: &Delta, _weights: &[Row], view: &View<'_>) -> bool {
        let circle = swap::Circle::of(delta, view);
        condition == rules::CLEARED && circle.is_some_and(|circle| circle.first != delta.address)
    }

    /// The server refuses a window that overlaps with one that is still there.
    fn requires(&self, delta: &Delta, view: &View<'_>) -> Vec<After> {
        let Some(window) = delta.desired.as_ref().map(Window::of_desired) else { return Vec::new() };
        let others = view
            .live
            .values()
            .filter(|live| live.address.kind == ID && live.on == delta.on && live.address != delta.address);
        let in_the_way = others.filter(|live| Window::of_live(live).overlaps(window)).map(|live| &live.address);
        let Some(circle) = swap::Circle::of(delta, view) else {
            return in_the_way.cloned().map(After::Resource).collect();
        };
        let mut after: Vec<&Address> = in_the_way.filter(|address| !circle.holds(address)).collect();
        after.extend(Some(&circle.first).filter(|first| **first != delta.address));
        after.into_iter().cloned().map(After::Resource).collect()
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
        let mut judgement = Judgement::default();
        if op != Op::Blocked {
            judgement.diagnostics.extend(job::not_owner(delta, view));
            judgement.diagnostics.extend(job::owner_cannot_log_in(delta, view));
            judgement.diagnostics.extend(job::unknown_timezone(delta, weights)?);
            judgement.diagnostics.extend(conflicts::with_live(delta, view));
            if self.holds(rules::CLEARED, delta, weights, view) {
                let note = "its job is made anew, without the history of its runs: the windows change places";
                judgement.impact = Some(Impact { notes: vec![note.to_owned()], ..Impact::default() });
            }
            weigh::judge(&mut judgement, delta, others, weights, view)?;
        }
        Ok(judgement)
    }
}
