//! Runs and the ledger for a comment or an issue.

use crate::report::escape;
use crate::report::history;
use crate::report::input::{LogLine, RunDetail, RunReport, Verification};
use crate::report::markdown::{fitting, heading, inline, sentence, table, value};

pub(super) fn run_summary(report: &RunReport) -> String {
    let mut out = heading(&history::run_verdict(report));
    out.push_str(&format!("{}\n\n", sentence(&history::run_title(report))));
    for remark in history::run_remarks(report) {
        out.push_str(&format!("- {}\n", sentence(&remark)));
    }
    out.push('\n');
    out.push_str(&table(&history::outcome_table(report)));
    fitting(std::iter::once(out))
}

pub(super) fn ledger_log(lines: &[LogLine]) -> String {
    fitting(std::iter::once(table(&history::log_table(lines))))
}

pub(super) fn ledger_show(run: &RunDetail) -> String {
    fitting([true, false].into_iter().map(|with_sql| show(run, with_sql)))
}

fn show(run: &RunDetail, with_sql: bool) -> String {
    let mut out = format!("### Run {}\n\n", run.run.run);
    for (name, cell) in history::run_facts(run) {
        out.push_str(&format!("- {name}: {}\n", inline(&cell)));
    }
    if !run.steps.is_empty() {
        out.push_str("\n#### Statements\n\n");
    }
    for (index, step) in run.steps.iter().enumerate() {
        let state = escape::markdown(&history::step_state(step));
        out.push_str(&format!("{}: {} {} **{state}**\n\n", index + 1, step.op.as_str(), value(&step.address)));
        if with_sql {
            out.push_str(&format!("{}\n", escape::markdown_block("sql", &step.sql)));
        }
        for text in [&step.error, &step.note].into_iter().flatten() {
            out.push_str(&format!("{}\n\n", escape::markdown(text)));
        }
    }
    if !run.resources.is_empty() {
        out.push_str(&format!("\n{}", table(&history::resource_table(run))));
    }
    out
}

pub(super) fn ledger_verify(found: &Verification) -> String {
    let mut out = format!("### {}\n\n", sentence(&history::verify_verdict(found)));
    if let Some(head) = &found.head {
        out.push_str(&format!("Head: {}\n\n", value(head)));
    }
    if !found.problems.is_empty() {
        out.push_str(&table(&history::problem_table(found)));
    }
    fitting(std::iter::once(out))
}
