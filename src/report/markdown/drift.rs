//! Drift for a pull request's comment or an issue.

use crate::diff::{Drift, Status};
use crate::report::escape;
use crate::report::evidence::Known;
use crate::report::input::DriftReport;
use crate::report::markdown::{diagnostics, fitting, heading, sentence, value};
use crate::report::phrase::{self, Label, Sentence};
use crate::report::value as values;
use crate::report::view;

pub(super) fn render(report: &DriftReport<'_>) -> String {
    fitting([true, false].into_iter().map(|with_attributes| with(report, with_attributes)))
}

fn with(report: &DriftReport<'_>, attributes: bool) -> String {
    let mut out = heading(&view::drift_verdict(report));
    out.push_str(&format!("Database {}\n\n", sentence(&phrase::target(report.target))));
    for remark in view::drift_remarks(report) {
        out.push_str(&format!("- {}\n", escape::markdown(&remark)));
    }
    for (command, what) in view::healing(report) {
        let line = Sentence::default().code(command).text(format!(" {what}"));
        out.push_str(&format!("- {}\n", sentence(&line)));
    }
    out.push('\n');
    let wanted = |drift: &&Drift| !matches!(drift.status, Status::InSync | Status::Unmanaged);
    if attributes {
        for view::Standings { on, resources } in view::drift_groups(report.drift.iter().filter(wanted)) {
            out.push_str(&table(report, on, &resources));
        }
    } else {
        out.push_str("*The attributes are left out: with them this would be longer than a comment can be.*\n\n");
        let line = |drift: &Drift| {
            let label = sentence(&Label::anywhere(&drift.address, drift.on.as_ref()));
            format!("- **{}** {label}\n", drift.status.words())
        };
        let worst_first = phrase::STATUSES
            .iter()
            .flat_map(|status| report.drift.iter().filter(wanted).filter(move |drift| drift.status == *status));
        out.push_str(&worst_first.map(line).collect::<String>());
    }
    let unmanaged = report.drift.iter().filter(|drift| drift.status == Status::Unmanaged);
    let names: Vec<Sentence> = unmanaged.map(|drift| Label::anywhere(&drift.address, drift.on.as_ref())).collect();
    if !names.is_empty() {
        let intro = Sentence::of(format!("Unmanaged, and left alone ({}): ", names.len()));
        out.push_str(&format!("\n- {}\n", sentence(&intro.then(view::listed(names.into_iter(), 20)))));
    }
    if !report.diagnostics.is_empty() {
        out.push_str(&format!("\n#### {}\n\n", escape::markdown(&phrase::said(report.diagnostics))));
        out.push_str(&diagnostics(report.diagnostics));
    }
    out
}

fn table(report: &DriftReport<'_>, on: Option<&crate::core::QualifiedName>, resources: &[(Label, &Drift)]) -> String {
    let heading = on.map_or_else(|| "Whole database".to_owned(), |on| value(&on.to_string()));
    let mut out = format!("#### {heading}\n\n| Status | Resource | Attribute | Last applied | Live | Policy |\n");
    out.push_str("|---|---|---|---|---|---|\n");
    for (label, drift) in resources {
        let name = label.name.as_deref().map(|name| format!(" {}", value(name))).unwrap_or_default();
        let known = report.evidence.of(&drift.address).into_iter().flat_map(Known::told);
        let known: String = known.map(|told| format!("<br>{}", escape::markdown(&told))).collect();
        let status = format!("**{}**: {}{known}", drift.status.words(), phrase::status(drift));
        let head = format!("| {status} | {}{name} |", escape::markdown(&label.kind));
        if drift.attributes.is_empty() {
            out.push_str(&format!("{head} | | | |\n"));
        }
        for (index, attribute) in drift.attributes.iter().enumerate() {
            let sides = [&attribute.applied, &attribute.live, &attribute.desired];
            let [applied, live, desired] = sides.map(|side| value(&values::show(side)));
            let live = if attribute.live == attribute.desired { live } else { format!("**{live}**") };
            let head = if index == 0 { head.as_str() } else { "| | |" };
            let name = escape::markdown(attribute.words());
            out.push_str(&format!("{head} {name} | {applied} | {live} | {desired} |\n"));
        }
    }
    out.push('\n');
    out
}
