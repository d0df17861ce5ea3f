//! Extensions of the database.

mod desired;
mod export;
mod observe;
mod rules;
#[cfg(test)]
mod tests;
mod weigh;

use std::collections::BTreeMap;

use schemars::JsonSchema as _;

use crate::core::{Delta, Desired, Ensure, KindId, Live, Op, Query, Row, RowError, Server, Value};
use crate::diag::{Code, Diagnostic};
use crate::kinds::{Beside, Export, Judgement, Kind, Relations, Rules, Scope, Section, View};

const ID: KindId = KindId::new("extension");

static SECTIONS: &[Section] = &[Section {
    document: "extension",
    key: "",
    repeated: false,
    schema: desired::Extension::json_schema,
    expand: desired::expand,
}];

/// The kind.
pub struct Extension;

impl Kind for Extension {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "extension"
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

    fn written(&self, _server: &Server) -> Option<String> {
        Some(include_str!("written.sql").to_owned())
    }

    fn observe(&self, _server: &Server, scope: &Scope) -> Option<Query> {
        observe::query(scope)
    }

    fn read(&self, rows: &[Row], _relations: &Relations) -> Result<Vec<Live>, RowError> {
        observe::read(rows)
    }

    fn discover(&self, _server: &Server, beside: &Beside) -> Result<Option<Query>, Diagnostic> {
        let query = || Query { sql: include_str!("discover.sql").to_owned(), params: Vec::new() };
        Ok(beside.database.then(query))
    }

    fn export(&self, live: &Live, _view: &View<'_>) -> Export {
        export::export(live)
    }

    fn settle(&self, desired: &Desired, view: &View<'_>, _sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        let mut settled = desired.clone();
        if view.live.contains_key(&desired.address) {
            settled.attributes.remove("cascade");
        }
        Some(settled)
    }

    fn context(&self, delta: &Delta, view: &View<'_>) -> BTreeMap<String, Value> {
        // Plans create extensions by name. One created earlier with CASCADE may bring this one along.
        let brings_others = |other: &Desired| {
            other.ensure == Ensure::Present
                && other.address.kind == ID
                && other.address.name < delta.address.name
                && other.get("cascade").and_then(Value::as_bool) == Some(true)
                && !view.live.contains_key(&other.address)
        };
        let may_exist = view.desired.values().any(brings_others);
        BTreeMap::from([("may_exist".to_owned(), Value::Bool(may_exist))])
    }

    fn weigh(&self, deltas: &[&Delta], _view: &View<'_>) -> Option<Query> {
        weigh::query(deltas)
    }

    fn judge(&self, delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
        weigh::judge(delta, op, weights, view)
    }
}
