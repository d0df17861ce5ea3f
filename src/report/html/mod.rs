//! Views for a browser: one file, no scripts, nothing loaded from anywhere.

mod drift;
mod history;
mod page;
mod plan;

use crate::plan::{Message, Plan};
use crate::report::input::{DriftReport, LogLine, RunDetail, RunReport, Verification};

pub(super) fn plan(plan: &Plan) -> String {
    plan::render(plan)
}

pub(super) fn drift(report: &DriftReport<'_>) -> String {
    drift::render(report)
}

pub(super) fn run_summary(report: &RunReport) -> String {
    history::run_summary(report)
}

pub(super) fn diagnostics(messages: &[Message]) -> String {
    let mut page = page::Page::new("Diagnostics");
    page.diagnostics(messages);
    page.finish()
}

pub(super) fn ledger_log(lines: &[LogLine]) -> String {
    history::ledger_log(lines)
}

pub(super) fn ledger_show(run: &RunDetail) -> String {
    history::ledger_show(run)
}

pub(super) fn ledger_verify(found: &Verification) -> String {
    history::ledger_verify(found)
}
