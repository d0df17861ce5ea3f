//! `archive`: old chunks that are to be in an archive, and then perhaps no longer in their table.
//!
//! An operation: `run archive` does it, one range of time after another. What has been done to a chunk
//! is written on the chunk itself, as its comment, so that no ledger is needed to go on.

mod alone;
mod desired;
mod frozen;
mod jobs;
mod mark;
mod observe;
mod rules;
mod settle;
#[cfg(test)]
mod tests;
mod weigh;

use std::collections::BTreeMap;

use schemars::JsonSchema as _;

use crate::core::{
    Address, Applied, ClosedBy, Delta, Desired, KindId, Live, Op, Operation, Query, Row, RowError, Server, Step, Task,
    Value,
};
use crate::diag::{Code, Diagnostic};
use crate::kinds::{Export, Judgement, Kind, Relations, Rules, Scope, Section, View};

pub use mark::{Bound, CopyOf, INSTEAD, MadeFor, Mark, Part, joined};
pub use observe::Kept;
pub use settle::{IsMissed, looked_up, whole};
pub use weigh::TASK;

/// The kind's name.
pub const ID: KindId = KindId::new("archive");
/// The store's name.
pub const TO: &str = "to";
/// How old a chunk must be.
pub const AFTER: &str = "after";
/// Whether it is then dropped.
pub const DROP: &str = "drop";
/// The one attribute that is compared: which of the due chunks are in the archive.
pub const ARCHIVED: &str = "archived";
/// What it is when nothing is to be done.
pub const ALL: &str = "all";

static UNKNOWN_STORE: Code = Code::new("unknown-store", "An archive store that no policy describes.");
static NOT_ARCHIVED: Code =
    Code::new("drops-unarchived", "Something would drop chunks that are to be archived before they are.");
/// A column that no archive can give back.
pub static NOT_KEPT: Code =
    Code::new("cannot-be-archived", "A column whose values an archive could not give back as they were.");
/// Rows that could not be brought back.
pub static NOT_RESTORED: Code =
    Code::new("restore-failed", "Archived rows could not be brought back; none of them was.");
/// What was archived from a database of another name.
pub static OTHER_DATABASE: Code =
    Code::new("other-database", "Archived rows of a table of the same name, of another database, that are left out.");
/// Chunks that take what comes back and what is written now.
pub static NOT_FROZEN: Code =
    Code::new("restored-unfrozen", "Chunks that archived rows came back into and that could not be frozen.");
/// A chunk whose rows may be in the archive already.
pub static UNTOLD: Code = Code::new(
    "copies-unknown",
    "A chunk that was merged or split, or has lost its mark, of which nobody can tell which copies in the archive its rows \
     are in.",
);
/// Rows that came while their chunk was archived.
static LATE: Code =
    Code::new("late-rows", "Rows that were written while what is old was archived: they wait for the next run.");
/// Chunks that a run has left behind.
static FROZEN: Code =
    Code::new("left-frozen", "Chunks that a run of the archive has frozen and not ended its work with.");
/// Chunks that are not archived.
static LEFT_ALONE: Code =
    Code::new("left-alone", "Chunks that are old enough, and that the archive leaves as they are.");
static CODES: [&Code; 10] = [
    &UNKNOWN_STORE,
    &NOT_ARCHIVED,
    &NOT_KEPT,
    &NOT_RESTORED,
    &OTHER_DATABASE,
    &NOT_FROZEN,
    &UNTOLD,
    &LATE,
    &FROZEN,
    &LEFT_ALONE,
];

/// The kind.
pub struct Archive;

static SECTIONS: [Section; 1] = [Section {
    document: "table",
    key: "archive",
    repeated: false,
    schema: desired::Archive::json_schema,
    expand: desired::expand,
}];

impl Kind for Archive {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "archive"
    }

    fn rules(&self) -> &'static Rules {
        &rules::RULES
    }

    fn sections(&self) -> &'static [Section] {
        &SECTIONS
    }

    fn closed_by(&self) -> ClosedBy {
        ClosedBy::Run(Operation::Archive)
    }

    fn codes(&self) -> &'static [&'static Code] {
        &CODES
    }

    fn observe(&self, _server: &Server, _scope: &Scope) -> Option<Query> {
        None
    }

    fn observe_wanted(
        &self,
        server: &Server,
        scope: &Scope,
        desired: &BTreeMap<Address, Desired>,
        relations: &Relations,
    ) -> Option<Query> {
        observe::query(server, scope, desired, relations)
    }

    fn read(&self, rows: &[Row], _relations: &Relations) -> Result<Vec<Live>, RowError> {
        observe::read(rows)
    }

    fn identify(
        &self,
        found: Vec<Live>,
        desired: &BTreeMap<Address, Desired>,
        _applied: &BTreeMap<Address, Applied>,
    ) -> Vec<Live> {
        settle::identify(found, desired)
    }

    fn export(&self, _live: &Live, _view: &View<'_>) -> Export {
        Export::Nothing
    }

    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        settle::settle(desired, view, sink)
    }

    fn check(&self, own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
        for desired in own {
            settle::check(desired, all, sink);
        }
    }

    fn review(&self, _settled: &[&Desired], view: &View<'_>, sink: &mut Vec<Diagnostic>) {
        frozen::tell(view, sink);
        alone::tell(view, sink);
    }

    fn items(
        &self,
        _template: &str,
        delta: &Delta,
        _weights: &[Row],
        view: &View<'_>,
    ) -> Result<Option<Vec<Value>>, RowError> {
        Ok(Some(weigh::items(delta, view)))
    }

    fn task(&self, item: &Value) -> Option<Task> {
        weigh::task(item)
    }

    fn left(&self, steps: &[Step], live: &Live) -> Option<Diagnostic> {
        weigh::left(steps, live)
    }

    fn judge(&self, delta: &Delta, op: Op, _weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
        Ok(weigh::judge(delta, op, view))
    }
}
