//! Hypertables: tables that TimescaleDB partitions by time.

mod desired;
mod export;
mod observe;
mod present;
mod rules;
mod settle;
#[cfg(test)]
mod tests;
mod weigh;

use std::collections::BTreeMap;

use schemars::JsonSchema as _;

use crate::core::{Delta, Desired, KindId, Live, Op, Query, Row, RowError, Server, Value, Version};
use crate::diag::{Code, Diagnostic};
use crate::kinds::{Export, Judgement, Kind, Relations, Rules, Scope, Section, View};

const ID: KindId = KindId::new("hypertable");

/// The oldest TimescaleDB whose API is used here: the first with `by_range`.
const OLDEST: Version = Version::new(2, 13);

/// The first TimescaleDB with chunk skipping.
const CHUNK_SKIPPING: Version = Version::new(2, 16);

static SECTIONS: &[Section] = &[Section {
    document: "table",
    key: "hypertable",
    repeated: false,
    schema: desired::Hypertable::json_schema,
    expand: desired::expand,
}];

/// The kind.
pub struct Hypertable;

impl Kind for Hypertable {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "hypertable"
    }

    fn rules(&self) -> &'static Rules {
        &rules::RULES
    }

    fn sections(&self) -> &'static [Section] {
        SECTIONS
    }

    fn codes(&self) -> &'static [&'static Code] {
        weigh::CODES
    }

    fn written(&self, server: &Server) -> Option<String> {
        server.timescaledb.as_ref().map(|_| include_str!("written.sql").to_owned())
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
        settle::settle(desired, view, sink)
    }

    fn context(&self, delta: &Delta, _view: &View<'_>) -> BTreeMap<String, Value> {
        let mut context = BTreeMap::new();
        let (added, resized) = partition_changes(delta);
        context.insert("added".to_owned(), Value::List(added));
        context.insert("resized".to_owned(), Value::List(resized));
        let (before, after) = both(delta, "chunk_skipping");
        let managed = delta.desired.as_ref().is_some_and(|desired| desired.get("chunk_skipping").is_some());
        let only_in = |these: &[Value], those: &[Value]| {
            let found = these.iter().filter(|column| managed && !those.contains(column));
            Value::List(found.cloned().collect())
        };
        context.insert("skipped".to_owned(), only_in(after, before));
        context.insert("unskipped".to_owned(), only_in(before, after));
        // The signature picks the one without arguments where the name is overloaded.
        if let Some(Value::Name(function)) = delta.desired.as_ref().and_then(|desired| desired.get("integer_now")) {
            context.insert("integer_now".to_owned(), Value::text(format!("{function}()")));
        }
        context
    }

    fn weigh(&self, deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
        weigh::query(deltas, view)
    }

    fn judge(&self, delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
        weigh::judge(delta, op, weights, view)
    }
}

/// The name under which the place of one item of a list attribute is kept.
fn item(attribute: &str, column: &str) -> String {
    format!("{attribute}/{column}")
}

/// One hash partition as a value.
fn partition(column: String, number: i64) -> Value {
    Value::Map(BTreeMap::from([("column".to_owned(), Value::Text(column)), ("number".to_owned(), Value::Int(number))]))
}

/// The column of a [`partition`].
fn column_of(partition: &Value) -> Option<&str> {
    match partition {
        Value::Map(entries) => entries.get("column")?.as_text(),
        _ => None,
    }
}

/// A list attribute on both sides of a delta.
fn both<'a>(delta: &'a Delta, attribute: &str) -> (&'a [Value], &'a [Value]) {
    let before = delta.live.as_ref().and_then(|live| live.get(attribute));
    let after = delta.desired.as_ref().and_then(|desired| desired.get(attribute));
    (before.map(Value::as_list).unwrap_or_default(), after.map(Value::as_list).unwrap_or_default())
}

/// The partitions that a delta adds, and those whose number it changes.
fn partition_changes(delta: &Delta) -> (Vec<Value>, Vec<Value>) {
    let (before, after) = both(delta, "partitions");
    let changed = after.iter().filter(|partition| !before.contains(partition)).cloned();
    changed.partition(|partition| !before.iter().any(|live| column_of(live) == column_of(partition)))
}
