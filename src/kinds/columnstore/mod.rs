//! `columnstore`: a hypertable's compressed storage by columns, its settings, and the job that
//! converts chunks to it. One resource, because none of them makes sense without the others.

mod desired;
mod export;
mod observe;
mod rules;
pub mod settings;
mod settle;
#[cfg(test)]
mod tests;
mod weigh;

use std::collections::BTreeMap;

use schemars::JsonSchema as _;

use crate::core::{Address, Delta, Desired, KindId, Live, Op, QualifiedName, Query, Row, RowError, Server, Value};
use crate::diag::{Code, Diagnostic};
use crate::kinds::{After, Export, Judgement, Kind, Relations, Rules, Scope, Section, View, checks, index, job};

const ID: KindId = KindId::new("columnstore");

static UNSUPPORTED_TABLE: Code =
    Code::new("columnstore-unsupported", "A table that the columnstore cannot be enabled on, for what else is on it.");
static CODES: [&Code; 1] = [&UNSUPPORTED_TABLE];

/// The settings that a chunk is converted with.
const SETTINGS: [&str; 3] = ["segment_by", "order_by", "sparse_index"];

/// Whether a table's columnstore has the settings that the policies want of it.
pub fn has_its_settings(on: &QualifiedName, view: &View<'_>) -> bool {
    let Some(desired) = view.desired.get(&Address::in_schema(ID, on)) else { return true };
    let Some(settled) = settle::settle(desired, view, &mut Vec::new()) else { return false };
    let live = live_settings(on, view);
    SETTINGS.iter().all(|name| settled.get(name).is_none_or(|wanted| live.get(*name) == Some(wanted)))
}

/// The settings that a table's columnstore has; those that are left to TimescaleDB are not there.
pub fn live_settings(on: &QualifiedName, view: &View<'_>) -> BTreeMap<String, Value> {
    let Some(live) = view.live.get(&Address::in_schema(ID, on)) else { return BTreeMap::new() };
    let set = |name: &&str| live.get(name).map(|value| ((*name).to_owned(), value.clone()));
    SETTINGS.iter().filter_map(set).collect()
}

/// The kind.
pub struct Columnstore;

const fn section(document: &'static str) -> Section {
    Section {
        document,
        key: "columnstore",
        repeated: false,
        schema: desired::Columnstore::json_schema,
        expand: desired::expand,
    }
}

static SECTIONS: [Section; 2] = [section("table"), section("continuous_aggregate")];

impl Kind for Columnstore {
    fn id(&self) -> KindId {
        ID
    }

    fn is_implied(&self, attribute: &str, _value: &Value) -> bool {
        // A section that is there enables it: the word says it already.
        attribute == "enabled"
    }

    fn title(&self) -> &'static str {
        "columnstore"
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
        settle::settle(desired, view, sink)
    }

    fn check(&self, own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
        own.iter().for_each(|desired| checks::age(desired, "after", all, sink));
    }

    fn context(&self, delta: &Delta, view: &View<'_>) -> BTreeMap<String, Value> {
        let mut context = job::context(delta, view);
        if let Some(list) = delta.desired.as_ref().and_then(|desired| desired.get("sparse_index")) {
            context.insert("sparse_index".to_owned(), Value::text(settings::sparse_option(list.as_list())));
        }
        context
    }

    /// An older server builds no unique index beside a columnstore, or over the chunks that its job may
    /// convert as soon as it is there.
    fn requires(&self, delta: &Delta, view: &View<'_>) -> Vec<After> {
        let old = view.server.timescale_version().is_some_and(|version| version < index::UNIQUE_OVER_COLUMNSTORE);
        if !old || delta.is_remove() {
            return Vec::new();
        }
        let unique = |desired: &&Desired| {
            desired.address.kind == index::ID
                && desired.on == delta.on
                && desired.get("unique") == Some(&Value::Bool(true))
        };
        view.desired.values().filter(unique).map(|desired| After::Resource(desired.address.clone())).collect()
    }

    fn weigh(&self, deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
        weigh::query(deltas, view)
    }

    fn judge(&self, delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
        weigh::judge(delta, op, weights, view)
    }
}
