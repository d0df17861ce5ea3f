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

use crate::core::{
    Address, Applied, Change, Delta, Desired, KindId, Live, Op, QualifiedName, Query, Row, RowError, Server, Value,
    Version,
};
use crate::diag::{Code, Diagnostic};
use crate::kinds::{After, Export, Judgement, Kind, Relations, Rules, Scope, Section, View, checks, index, job};

const ID: KindId = KindId::new("columnstore");

/// From here on, at the latest, an aggregate without a refresh policy may have one.
const WITHOUT_REFRESH: Version = Version::new(2, 28);

static UNSUPPORTED_TABLE: Code =
    Code::new("columnstore-unsupported", "A table that the columnstore cannot be enabled on, for what else is on it.");
static NEVER_RUNS: Code = Code::new(
    "columnstore-never-runs",
    "A columnstore policy whose job fails at every run, for nothing tells it the present.",
);
static CODES: [&Code; 2] = [&UNSUPPORTED_TABLE, &NEVER_RUNS];

/// The settings that a chunk is converted with.
const SETTINGS: [&str; 3] = ["segment_by", "order_by", "sparse_index"];

/// Whether a table's columnstore has the settings that the policies want of it.
pub fn has_its_settings(on: &QualifiedName, view: &View<'_>) -> bool {
    let Some(desired) = view.desired.get(&Address::in_schema(ID, on)) else { return true };
    let Some(settled) = settle::settle(desired, view, &mut Vec::new()) else { return false };
    let live = view.live.get(&settled.address);
    let has = |name: &str, wanted: &Value| live.and_then(|live| live.get(name)) == Some(wanted);
    SETTINGS.iter().all(|name| settled.get(name).is_none_or(|wanted| has(name, wanted)))
}

/// The settings that a table's columnstore has; those that are left to TimescaleDB are not there.
pub fn live_settings(on: &QualifiedName, view: &View<'_>) -> BTreeMap<String, Value> {
    let Some(live) = view.live.get(&Address::in_schema(ID, on)) else { return BTreeMap::new() };
    let set =
        |name: &&str| live.get(name).filter(|value| !settings::is_auto(value)).map(|v| ((*name).to_owned(), v.clone()));
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

    fn identify(
        &self,
        mut found: Vec<Live>,
        desired: &BTreeMap<Address, Desired>,
        _applied: &BTreeMap<Address, Applied>,
    ) -> Vec<Live> {
        for live in &mut found {
            if let Some(desired) = desired.get(&live.address) {
                settings::name_choices(live, desired);
            }
        }
        found
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
        let desired = |name: &str| delta.desired.as_ref().and_then(|desired| desired.get(name));
        for (name, value) in SETTINGS.iter().filter_map(|name| Some((*name, desired(name)?))) {
            let option = match name {
                _ if settings::is_auto(value) => continue,
                "sparse_index" => Value::text(settings::sparse_option(value.as_list())),
                _ => value.clone(),
            };
            context.insert(name.to_owned(), option);
        }
        let goes = |name: &&str| settings::is_left_again(delta, name);
        let option = |name: &str| Value::Name(QualifiedName::new("timescaledb", settings::option(name)));
        context.insert("reset".to_owned(), Value::List(SETTINGS.into_iter().filter(goes).map(option).collect()));
        let made =
            |change: &Change| change.attribute == "enabled" || !settings::is_left_again(delta, &change.attribute);
        let sets = delta.is_create() || delta.changes.iter().any(made);
        context.insert("sets".to_owned(), Value::Bool(sets));
        context
    }

    /// An older server builds no unique index beside a columnstore, or over the chunks that its job may
    /// convert as soon as it is there; and it takes the policy of an aggregate only once that has one to refresh it
    /// ("setup a refresh policy for … before": seen on 2.14 to 2.24, and not any more on 2.28).
    fn requires(&self, delta: &Delta, view: &View<'_>) -> Vec<After> {
        let older_than = |than| view.server.timescale_version().is_some_and(|version| version < than);
        let (old, asks_for_refresh) = (older_than(index::UNIQUE_OVER_COLUMNSTORE), older_than(WITHOUT_REFRESH));
        if delta.is_remove() {
            return Vec::new();
        }
        let comes_first = |desired: &&Desired| {
            let kind = &desired.address.kind;
            let unique = *kind == index::ID && desired.get("unique") == Some(&Value::Bool(true));
            desired.on == delta.on && ((old && unique) || (asks_for_refresh && *kind == KindId::new("refresh")))
        };
        view.desired.values().filter(comes_first).map(|desired| After::Resource(desired.address.clone())).collect()
    }

    fn weigh(&self, deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
        weigh::query(deltas, view)
    }

    fn judge(&self, delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
        weigh::judge(delta, op, weights, view)
    }
}
