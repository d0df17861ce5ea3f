//! Runs and the ledger for a browser.

use crate::report::escape;
use crate::report::history;
use crate::report::html::page::{Page, block, class_of, code, inline, sentence};
use crate::report::input::{LogLine, RunDetail, RunReport, Verification};
use crate::report::phrase::Sentence;
use crate::report::table::{Mood, mood_of};

pub(super) fn fill_run(page: &mut Page, report: &RunReport) {
    let mood = if report.is_complete() { Mood::Good } else { Mood::Bad };
    page.header("Chronoform", &history::run_title(report), &history::run_verdict(report), mood);
    page.remarks(&history::run_remarks(report));
    page.table(&history::outcome_table(report));
}

pub(super) fn ledger_log(lines: &[LogLine]) -> String {
    let mut page = Page::new("Chronoform ledger");
    page.raw("<h1>Ledger</h1>\n");
    page.table(&history::log_table(lines));
    page.finish()
}

pub(super) fn ledger_show(run: &RunDetail) -> String {
    let mut page = Page::new(format!("Chronoform run {}", run.run.run));
    page.raw(&format!("<h1>Run {}</h1>\n<table>\n<tbody>\n", run.run.run));
    for (name, cell) in history::run_facts(run) {
        let class = class_of(cell.mood);
        page.raw(&format!("<tr><th scope=\"row\">{name}</th><td class=\"{class}\">{}</td></tr>\n", inline(&cell)));
    }
    page.raw("</tbody>\n</table>\n");
    if !run.steps.is_empty() {
        page.raw("<h2>Statements</h2>\n<ol>\n");
    }
    for step in &run.steps {
        page.raw(&format!(
            "<li>{} {} <span class=\"{}\">{}</span>{}",
            step.op.as_str(),
            code(&step.address),
            class_of(mood_of(&step.state)),
            escape::html(&history::step_state(step)),
            block(&step.sql)
        ));
        for text in [&step.error, &step.note].into_iter().flatten() {
            page.raw(&format!("<p class=\"{}\">{}</p>", class_of(mood_of(&step.state)), escape::html(text)));
        }
        page.raw("</li>\n");
    }
    if !run.steps.is_empty() {
        page.raw("</ol>\n");
    }
    if !run.resources.is_empty() {
        page.table(&history::resource_table(run));
    }
    page.finish()
}

pub(super) fn ledger_verify(found: &Verification) -> String {
    let mut page = Page::new("Chronoform ledger verification");
    let mood = if found.problems.is_empty() { Mood::Good } else { Mood::Bad };
    page.raw(&format!("<h1 class=\"{}\">{}</h1>\n", class_of(mood), sentence(&history::verify_verdict(found))));
    page.remarks(&found.head.iter().map(|head| Sentence::of("Head: ").code(head)).collect::<Vec<_>>());
    if !found.problems.is_empty() {
        page.table(&history::problem_table(found));
    }
    page.finish()
}
