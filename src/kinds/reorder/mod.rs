//! `reorder`: the job that writes a hypertable's older chunks anew in the order of an index.

mod desired;
mod export;
mod observe;
mod rules;
mod settle;
#[cfg(test)]
mod tests;
mod weigh;

use std::collections::BTreeMap;

use schemars::JsonSchema as _;

use crate::core::{Address, Delta, Desired, Ensure, KindId, Live, Op, Query, Row, RowError, Server, Value};
use crate::diag::{Code, Diagnostic};
use crate::kinds::{After, Export, Judgement, Kind, Relations, Rules, Scope, Section, View, job};

const ID: KindId = KindId::new("reorder");

static UNUSABLE_INDEX: Code =
    Code::new("reorder-index", "An index by which the chunks of a hypertable cannot be ordered.");
static CODES: [&Code; 1] = [&UNUSABLE_INDEX];

/// The kind.
pub struct Reorder;

static SECTIONS: [Section; 1] = [Section {
    document: "table",
    key: "reorder",
    repeated: false,
    schema: desired::Reorder::json_schema,
    expand: desired::expand,
}];

impl Kind for Reorder {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "reorder policy"
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

    fn read(&self, rows: &[Row], _relations: &Relations) -> Result<Vec<Live>, RowError> {
        observe::read(rows)
    }

    fn export(&self, live: &Live, view: &View<'_>) -> Export {
        export::export(live, view)
    }

    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        settle::settle(desired, view, sink)
    }

    fn check(&self, own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
        for desired in own.iter().filter(|desired| desired.ensure == Ensure::Present) {
            settle::check_against_columnstore(desired, all, sink);
        }
    }

    fn requires(&self, delta: &Delta, _view: &View<'_>) -> Vec<After> {
        // The server takes the policy only once the index is there.
        let index = delta.desired.as_ref().and_then(settle::index_address);
        index.into_iter().map(After::Resource).collect()
    }

    fn context(&self, delta: &Delta, view: &View<'_>) -> BTreeMap<String, Value> {
        job::context(delta, view)
    }

    fn weigh(&self, deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
        weigh::query(deltas, view)
    }

    fn judge(&self, delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
        weigh::judge(delta, op, weights, view)
    }
}
