//! `recompression`: chunks that are in the columnstore with older settings than their table has now.
//!
//! An operation: `columnstore.converge: existing` asks for it, and `run maintenance` does it, chunk by
//! chunk. Each is one statement, which converts the chunk back and forth in its own transaction, so
//! that no chunk is ever left between the two, however the run ends.

mod observe;
mod rules;
mod settle;
#[cfg(test)]
mod tests;
mod weigh;

use crate::core::{ClosedBy, Delta, Desired, KindId, Live, Op, Operation, Query, Row, RowError, Server, Value};
use crate::diag::Diagnostic;
use crate::kinds::{Export, Judgement, Kind, Relations, Rules, Scope, Section, View};

/// The kind's name, by which the columnstore's section asks for it.
pub const ID: KindId = KindId::new("recompression");

/// The one attribute: how many of the chunks in the columnstore have the settings of their table.
pub const CONVERGED: &str = "converged";
/// What it is when nothing is to be done.
pub const ALL: &str = "all";

/// The kind.
pub struct Recompression;

impl Kind for Recompression {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "recompression"
    }

    fn rules(&self) -> &'static Rules {
        &rules::RULES
    }

    fn sections(&self) -> &'static [Section] {
        // `columnstore.converge` asks for it.
        &[]
    }

    fn closed_by(&self) -> ClosedBy {
        ClosedBy::Run(Operation::Maintenance)
    }

    fn observe(&self, server: &Server, scope: &Scope) -> Option<Query> {
        observe::query(server, scope)
    }

    fn read(&self, rows: &[Row], relations: &Relations) -> Result<Vec<Live>, RowError> {
        observe::read(rows, relations)
    }

    fn export(&self, _live: &Live, _view: &View<'_>) -> Export {
        Export::Nothing
    }

    fn settle(&self, desired: &Desired, view: &View<'_>, _sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        settle::settle(desired, view)
    }

    fn items(
        &self,
        _template: &str,
        delta: &Delta,
        weights: &[Row],
        view: &View<'_>,
    ) -> Result<Option<Vec<Value>>, RowError> {
        weigh::items(delta, weights, view).map(Some)
    }

    fn weigh(&self, deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
        weigh::query(deltas, view)
    }

    fn judge(&self, delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
        weigh::judge(delta, op, weights, view)
    }
}
