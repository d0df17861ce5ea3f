//! Views for a browser: one file, no scripts, nothing loaded from anywhere.

mod drift;
mod history;
mod page;
mod plan;

use crate::plan::{Message, Plan};
use crate::report::escape;
use crate::report::fleet::{self, Fleet, Part};
use crate::report::input::{DriftReport, LogLine, RunDetail, RunReport, Verification};
use crate::report::phrase::Sentence;
use crate::report::table::Table;

pub(in crate::report) use page::Page;

pub(super) fn plan(plan: &Plan) -> String {
    let mut page = Page::new(format!("Chronoform plan for {}", plan.target.database));
    plan::fill(&mut page, plan);
    page.finish()
}

pub(super) fn fill_plan(page: &mut Page, plan: &Plan) {
    plan::fill(page, plan);
}

pub(super) fn drift(report: &DriftReport<'_>) -> String {
    let mut page = Page::new(format!("Chronoform drift of {}", report.target.database));
    drift::fill(&mut page, report);
    page.finish()
}

pub(super) fn fill_drift(page: &mut Page, report: &DriftReport<'_>) {
    drift::fill(page, report);
}

pub(super) fn run_summary(report: &RunReport) -> String {
    let mut page = Page::new(format!("Chronoform run on {}", report.database));
    history::fill_run(&mut page, report);
    page.finish()
}

pub(super) fn fill_run(page: &mut Page, report: &RunReport) {
    history::fill_run(page, report);
}

/// Several targets on one page, each with an anchor that the contents lead to.
pub(super) fn fleet<T: Part>(fleet: &Fleet<T>) -> String {
    let mut page = Page::new(format!("Chronoform {} of {} targets", T::NOUN, fleet.members.len()));
    let class = page::class_of(fleet::mood(fleet));
    let verdict = escape::html(&fleet::verdict(fleet));
    page.raw(&format!(
        "<header>\n<p class=\"about\">Chronoform {}</p>\n<h1 class=\"{class}\">{verdict}</h1>\n</header>\n",
        T::NOUN
    ));
    page.table(&fleet::table(fleet));
    for member in &fleet.members {
        let name = escape::html(&member.name);
        page.raw(&format!(
            "<article id=\"target-{name}\">\n<p class=\"target\">Target {}</p>\n",
            page::code(&member.name)
        ));
        match &member.found {
            Some(found) => found.fill(&mut page),
            None => page.raw(&format!(
                "<p class=\"{}\">{}</p>\n",
                page::class_of(fleet::ending_mood(member)),
                escape::html(&member.result)
            )),
        }
        page.diagnostics(&member.messages);
        page.raw("</article>\n");
    }
    page.finish()
}

pub(super) fn diagnostics(messages: &[Message]) -> String {
    let mut page = page::Page::new("Diagnostics");
    page.diagnostics(messages);
    page.finish()
}

/// A sentence, and a table below it where that has rows.
pub(super) fn titled(title: &str, verdict: &Sentence, table: &Table) -> String {
    let mut page = Page::new(format!("Chronoform {title}"));
    page.raw(&format!("<h1>{}</h1>\n", page::sentence(verdict)));
    if !table.rows.is_empty() {
        page.table(table);
    }
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
