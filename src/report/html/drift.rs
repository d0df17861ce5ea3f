//! Drift for a browser.

use crate::diff::{Drift, DriftAttribute, Status};
use crate::report::escape;
use crate::report::evidence::Known;
use crate::report::html::page::{Page, class_of, code, sentence};
use crate::report::input::DriftReport;
use crate::report::phrase::{self, Label, Sentence};
use crate::report::table::Mood;
use crate::report::value;
use crate::report::view;

pub(super) fn fill(page: &mut Page, report: &DriftReport<'_>) {
    let mood = view::drift_mood(report);
    page.header("Chronoform drift of", &phrase::target(report.target), &view::drift_verdict(report), mood);
    let steps = view::healing(report);
    if !steps.is_empty() {
        page.raw("<div class=\"box\" role=\"note\">\n");
        for (command, what) in steps {
            let line = Sentence::default().code(command).text(format!(" {what}"));
            page.raw(&format!("<p>{}</p>\n", sentence(&line)));
        }
        page.raw("</div>\n");
    }
    page.remarks(&view::drift_remarks(report).into_iter().map(Sentence::of).collect::<Vec<_>>());
    let wanted = report.drift.iter().filter(|drift| drift.status != Status::InSync);
    for view::Standings { on, resources } in view::drift_groups(wanted) {
        let heading = on.map_or_else(|| "Whole database".to_owned(), |on| code(&on.to_string()));
        page.raw(&format!("<section>\n<h2>{heading}</h2>\n<div class=\"wide\"><table class=\"drift\">\n<thead><tr>"));
        for title in ["Status", "Resource", "Attribute", "Last applied", "Live", "Policy"] {
            page.raw(&format!("<th scope=\"col\">{title}</th>"));
        }
        page.raw("</tr></thead>\n<tbody>\n");
        for (label, drift) in resources {
            let rows = rows(report, &label, drift);
            page.raw(&rows);
        }
        page.raw("</tbody>\n</table></div>\n</section>\n");
    }
    in_sync(page, report.drift);
    page.diagnostics(report.diagnostics);
}

const fn mood_of(status: Status) -> Mood {
    match status {
        Status::InSync => Mood::Good,
        Status::Paused | Status::Unmanaged => Mood::Plain,
        Status::Pending | Status::Drifted => Mood::Warn,
        Status::Missing | Status::Conflict => Mood::Bad,
    }
}

fn rows(report: &DriftReport<'_>, label: &Label, drift: &Drift) -> String {
    let span = drift.attributes.len().max(1);
    let name = label.name.as_deref().map(|name| format!(" {}", code(name))).unwrap_or_default();
    let known = report.evidence.of(&drift.address).into_iter().flat_map(Known::told);
    let known: String = known.map(|told| format!("<br><span class=\"dim\">{}</span>", escape::html(&told))).collect();
    let head = format!(
        "<tr>\n<td rowspan=\"{span}\" class=\"{}\"><strong>{}</strong><br><span class=\"dim\">{}</span>{known}</td>\n\
         <th scope=\"rowgroup\" rowspan=\"{span}\">{}{name}</th>\n",
        class_of(mood_of(drift.status)),
        escape::html(drift.status.words()),
        escape::html(phrase::status(drift)),
        escape::html(&label.kind),
    );
    let Some((first, rest)) = drift.attributes.split_first() else {
        return head + "<td colspan=\"4\"></td>\n</tr>\n";
    };
    let rest: String = rest.iter().map(|attribute| format!("<tr>\n{}</tr>\n", sides(attribute))).collect();
    format!("{head}{}</tr>\n{rest}", sides(first))
}

fn sides(attribute: &DriftAttribute) -> String {
    let class = if attribute.live == attribute.desired { "plain" } else { "warn" };
    format!(
        "<td>{}</td><td>{}</td><td class=\"{class}\">{}</td><td>{}</td>\n",
        escape::html(attribute.words()),
        code(&value::show(&attribute.applied)),
        code(&value::show(&attribute.live)),
        code(&value::show(&attribute.desired))
    )
}

fn in_sync(page: &mut Page, drift: &[Drift]) {
    let count = view::standing(drift, Status::InSync);
    if count == 0 {
        return;
    }
    page.raw(&format!("<details><summary>{count} in sync</summary>\n<ul>\n"));
    for drift in drift.iter().filter(|drift| drift.status == Status::InSync) {
        let label = Label::anywhere(&drift.address, drift.on.as_ref());
        page.raw(&format!("<li>{}</li>\n", sentence(&label)));
    }
    page.raw("</ul>\n</details>\n");
}
