//! `continuous_aggregate`: a view whose rows TimescaleDB keeps up to date from those of a
//! hypertable, or of another continuous aggregate.

mod clauses;
mod comments;
mod desired;
mod export;
mod fill;
mod grants;
mod in_time;
mod observe;
mod owners;
mod remake;
mod rules;
mod settings;
mod settle;
#[cfg(test)]
mod tests;
mod weigh;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::core::select::Select;
use crate::core::{
    Address, Alike, Applied, Delta, Desired, Ensure, KindId, Live, Op, QualifiedName, Query, Reason, Row, RowError,
    Server, SqlText, Value,
};
use crate::diag::{Code, Diagnostic};
use crate::kinds::{After, Canon, Export, Judgement, Kind, Relation, Relations, Rules, Scope, Section, View};

pub use desired::{bucket_width, sources};
pub use fill::is_filled_first;
pub use weigh::element;

/// The kind's name.
pub const ID: KindId = KindId::new("continuous_aggregate");

static BAD_QUERY: Code =
    Code::new("bad-aggregate-query", "A query that no continuous aggregate can be made from, or that is refused.");
static LEGACY_AGGREGATE: Code = Code::new(
    "legacy-aggregate",
    "A continuous aggregate in the form of before TimescaleDB 2.7, which this version leaves alone.",
);
static HAS_DEPENDANTS: Code = Code::new(
    "has-dependants",
    "A continuous aggregate that cannot be made anew or go, because something else reads it.",
);
static NEVER_FILLED: Code = Code::new("never-filled", "A continuous aggregate that is empty, and that nothing fills.");
static DROPS_UNREFRESHED: Code = Code::new(
    "drops-unrefreshed",
    "Rows that may be dropped before the continuous aggregate that is made from them has them.",
);
static CODES: [&Code; 5] = [&BAD_QUERY, &LEGACY_AGGREGATE, &HAS_DEPENDANTS, &NEVER_FILLED, &DROPS_UNREFRESHED];

static SECTIONS: [Section; 1] = [Section {
    document: "continuous_aggregate",
    key: "",
    repeated: false,
    schema: |generator| generator.subschema_for::<desired::ContinuousAggregate>(),
    expand: desired::expand,
}];

/// The kind.
pub struct ContinuousAggregate;

/// The query among a resource's attributes.
fn query(value: Option<&Value>) -> Option<&SqlText> {
    if let Some(Value::Sql(sql)) = value { Some(sql) } else { None }
}

impl Kind for ContinuousAggregate {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "continuous aggregate"
    }

    fn rules(&self) -> &'static Rules {
        &rules::RULES
    }

    fn sections(&self) -> &'static [Section] {
        &SECTIONS
    }

    fn codes(&self) -> &'static [&'static Code] {
        &CODES
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

    /// Each side whose text is not the policy's, and then the policy's own.
    fn queries(&self, desired: &Desired, live: Option<&Live>, applied: Option<&Applied>) -> Vec<SqlText> {
        let Some(ours) = query(desired.get("query")) else { return Vec::new() };
        let theirs = live.and_then(|live| query(live.get("query"))).cloned();
        let then = applied.and_then(|applied| applied.attributes.get("query")).and_then(Json::as_str);
        let then = then.and_then(|text| SqlText::new(text).ok());
        // Where the live query reads like the policy's there is nothing to tell apart.
        let Some(theirs) = theirs.filter(|theirs| theirs != ours) else { return Vec::new() };
        let mut asked: Vec<SqlText> = vec![theirs];
        asked.extend(then.filter(|then| then != ours));
        asked.push(ours.clone());
        asked
    }

    fn makes(&self, desired: &Desired) -> Option<SqlText> {
        query(desired.get("query")).cloned()
    }

    fn is_made_anew(&self, desired: &Desired, live: &Live, canon: &Canon) -> bool {
        remake::is_changed(desired, live, canon)
    }

    fn reads(&self, desired: &Desired) -> Vec<QualifiedName> {
        query(desired.get("query")).map(sources).unwrap_or_default()
    }

    fn means_same(&self, desired: &Desired, attribute: &str, applied: &Json, canon: &Canon) -> bool {
        let (Some(on), "query") = (&desired.on, attribute) else { return false };
        let Some(then) = applied.as_str().and_then(|text| SqlText::new(text).ok()) else { return false };
        let form = |query: &SqlText| canon.get(&(on.clone(), query.clone())).and_then(|form| form.as_ref().ok());
        let ours = query(desired.get("query")).and_then(form);
        ours.is_some() && ours == form(&then)
    }

    fn alike(&self, delta: &Delta, attribute: &str, view: &View<'_>) -> Option<Alike> {
        (attribute == "query").then(|| clauses::alike(delta, view))?
    }

    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        settle::settle(desired, view, sink)
    }

    fn check(&self, own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
        settle::check(own, sink);
        in_time::check(own, all, sink);
    }

    fn repeated(
        &self,
        template: &str,
        delta: &Delta,
        weights: &[Row],
        view: &View<'_>,
    ) -> Result<Option<Vec<Value>>, RowError> {
        let Some(on) = &delta.on else { return Ok(None) };
        Ok(match template {
            rules::DROP_CHUNKS => Some(kept_by_columns(on, delta, view).into_iter().map(Value::Name).collect()),
            rules::DROP_READER => Some(readers(on, view).into_iter().map(Value::Name).collect()),
            _ => match remake::items(template, delta, weights, view)? {
                Some(items) => Some(items),
                None => fill::items(template, delta, weights, view)?,
            },
        })
    }

    fn context(&self, delta: &Delta, view: &View<'_>) -> BTreeMap<String, Value> {
        BTreeMap::from([("fills".to_owned(), Value::Bool(fill::fills(delta, view)))])
    }

    /// What is not written there stands in the aggregate's own hypertable.
    fn is_derived(&self, attribute: &str, desired: &Desired, applied: &Applied) -> bool {
        let then = applied.attributes.get("query").and_then(Json::as_str);
        let now = query(desired.get("query")).map(SqlText::as_str);
        attribute == fill::ATTRIBUTE && (now.is_none() || now == then)
    }

    /// What a fill leaves that was cut off: what says so, and that it is not filled from the beginning.
    fn is_left_over(&self, attribute: &str) -> bool {
        matches!(attribute, fill::ATTRIBUTE | "with_data")
    }

    fn is_gone_on_with(&self, attribute: &str) -> bool {
        attribute == fill::ATTRIBUTE
    }

    fn label(&self, attribute: &str) -> Option<&'static str> {
        (attribute == fill::ATTRIBUTE).then_some("filling")
    }

    fn is_implied(&self, attribute: &str, value: &Value) -> bool {
        attribute == "with_data" && *value == Value::Bool(false)
    }

    /// It is made after what it reads, and goes after what reads it.
    fn requires(&self, delta: &Delta, view: &View<'_>) -> Vec<After> {
        if let Some(desired) = &delta.desired {
            let sources = self.reads(desired).into_iter();
            let made = sources
                .flat_map(|name| [Address::in_schema(KindId::new("hypertable"), &name), Address::in_schema(ID, &name)]);
            // Where it is made anew, what reads it and is not wanted any more goes first.
            let absent = |address: &Address| view.desired.get(address).is_some_and(|d| d.ensure == Ensure::Absent);
            let gone = delta.on.iter().filter(|_| self.takes_along(delta)).flat_map(|on| below(on, view));
            let gone = gone.into_iter().map(|live| live.address.clone()).filter(absent);
            // What goes with one that it read until now is made again only after that.
            let taken = delta.on.as_ref().filter(|_| delta.reason == Reason::Remade);
            let taken = taken.into_iter().flat_map(|on| remake::above(on, view));
            let taken = taken.map(|above| Address::in_schema(ID, above));
            // How long its chunks are is held against those of the hypertable that it read until now.
            let read = delta.live.as_ref().filter(|_| self.takes_along(delta)).and_then(|live| live.fact("source"));
            let read = read.and_then(|read| if let Value::Name(name) = read { Some(name) } else { None });
            let read = read.map(|name| Address::in_schema(KindId::new("hypertable"), name));
            let read = read.filter(|address| !absent(address));
            return made.chain(gone).chain(taken).chain(read).map(After::Resource).collect();
        }
        let children = delta.on.iter().flat_map(|on| children(on, view));
        children.map(|live| After::Resource(live.address.clone())).collect()
    }

    /// One that reads another, as long as the policy says how to make it.
    fn goes_with(&self, desired: &Desired, live: &Live, gone: &BTreeSet<QualifiedName>) -> bool {
        let parent = if let Some(Value::Name(parent)) = live.fact("parent") { Some(parent) } else { None };
        desired.get("query").is_some() && parent.is_some_and(|parent| gone.contains(parent))
    }

    fn is_made_along(&self, delta: &Delta, view: &View<'_>) -> bool {
        remake::is_made_along(delta, view)
    }

    fn made_from(&self, desired: &Desired, live: Option<&Live>) -> Vec<QualifiedName> {
        match (query(desired.get("query")), live.and_then(|live| live.fact("source"))) {
            (Some(ours), _) => sources(ours),
            (None, Some(Value::Name(source))) => vec![source.clone()],
            (None, _) => Vec::new(),
        }
    }

    fn fills(&self, delta: &Delta, view: &View<'_>) -> bool {
        let is_kept = !delta.is_create() && delta.change("query").is_none();
        let goes_on = [fill::ATTRIBUTE, "with_data"].iter().any(|name| delta.change(name).is_some());
        fill::fills(delta, view) || (is_kept && goes_on)
    }

    /// Not where the policy says it itself, nor one that holds nothing.
    fn fills_what_was_there(&self, delta: &Delta, view: &View<'_>) -> bool {
        let is_said = delta.desired.as_ref().is_some_and(|desired| desired.get("with_data").is_some());
        let holds = |on: &QualifiedName| view.live_hypertable(on).is_none_or(|stored| stored.chunks > 0);
        let is_empty = !delta.on.as_ref().is_some_and(holds);
        fill::is_filled_after(delta) && !is_said && !is_empty
    }

    fn takes_along(&self, delta: &Delta) -> bool {
        !delta.is_create() && (delta.is_remove() || delta.change("query").is_some())
    }

    fn weigh(&self, deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
        weigh::query(deltas, view)
    }

    fn judge(&self, delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
        let mut judgement = weigh::judge(delta, op, weights, view)?;
        judgement.diagnostics.extend(settle::stays_empty(delta, view).filter(|_| op != Op::Blocked));
        Ok(judgement)
    }
}

/// The live aggregates that read another one.
fn children<'a>(of: &'a QualifiedName, view: &'a View<'_>) -> impl Iterator<Item = &'a Live> + 'a {
    let reads = move |live: &&Live| matches!(live.fact("parent"), Some(Value::Name(parent)) if parent == of);
    view.live.values().filter(|live| live.address.kind == ID).filter(reads)
}

/// The live aggregates that are made from another one, at any depth.
fn below<'a>(of: &'a QualifiedName, view: &'a View<'_>) -> Vec<&'a Live> {
    let mut found: Vec<&'a Live> = children(of, view).collect();
    let mut at = 0;
    while let Some(next) = found.get(at).copied() {
        found.extend(next.on.iter().flat_map(|on| children(on, view)));
        at += 1;
    }
    found
}

/// Whether an aggregate that reads one that is made anew is made again after it: the policies want it,
/// and say how.
fn is_made_again(address: &Address, view: &View<'_>) -> bool {
    let wanted = view.desired.get(address).filter(|wanted| wanted.ensure == Ensure::Present);
    wanted.is_some_and(|wanted| wanted.get("query").is_some())
}

/// The aggregates that read one, and those that read these, and so on: each before what it reads.
fn readers(of: &QualifiedName, view: &View<'_>) -> Vec<QualifiedName> {
    let mut found: Vec<QualifiedName> = vec![of.clone()];
    let mut at = 0;
    while let Some(next) = found.get(at).cloned() {
        let own = children(&next, view).filter(|live| is_made_again(&live.address, view));
        found.extend(own.filter_map(|live| live.on.clone()));
        at += 1;
    }
    found.drain(1..).rev().collect()
}

/// Those that go with a delta and may have chunks in the columnstore: each before what it reads, and the delta's own.
fn kept_by_columns(on: &QualifiedName, delta: &Delta, view: &View<'_>) -> Vec<QualifiedName> {
    let along = if delta.is_remove() { Vec::new() } else { readers(on, view) };
    let is_enabled =
        |name: &QualifiedName| view.live.contains_key(&Address::in_schema(KindId::new("columnstore"), name));
    along.into_iter().chain([on.clone()]).filter(is_enabled).collect()
}

/// The columns that one has once it is made again, as far as they are known.
fn columns(on: &QualifiedName, view: &View<'_>) -> BTreeSet<String> {
    let relation = view.relations.get(on).map(Relation::to_come).into_iter();
    relation.flat_map(|relation| &relation.columns).map(|column| column.name.clone()).collect()
}

/// The relations that a query reads, as far as they are written with their schema.
fn named(select: &Select) -> Vec<QualifiedName> {
    select.sources().iter().filter_map(crate::core::select::Source::qualified).collect()
}
