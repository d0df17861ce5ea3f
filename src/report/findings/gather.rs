//! Findings from what commands have: diagnostics, plans and drift.

use crate::core::{Fingerprint, Op, QualifiedName};
use crate::diff::{Drift, DriftAttribute, Status};
use crate::plan::{Message, Plan};
use crate::report::escape::clean;
use crate::report::evidence::fingerprint;
use crate::report::findings::{Finding, Level};
use crate::report::input::DriftReport;
use crate::report::phrase;
use crate::report::value;
use crate::report::view;

/// The group of what belongs to no relation.
const DATABASE: &str = "database";

/// Findings of diagnostics.
pub fn of_messages(messages: &[Message]) -> Vec<Finding> {
    messages.iter().map(of_message).collect()
}

fn of_message(message: &Message) -> Finding {
    let file = message.source.as_ref().map(|source| source.file.as_str()).unwrap_or_default();
    let extra = [("why", &message.why), ("help", &message.help)].into_iter();
    Finding {
        rule: message.code.clone(),
        level: match message.severity.as_str() {
            "note" => Level::Note,
            "warning" => Level::Warning,
            _ => Level::Error,
        },
        subject: if file.is_empty() { message.code.clone() } else { clean(file).into_owned() },
        group: "policies".to_owned(),
        message: message.message.split('\n').map(clean).collect::<Vec<_>>().join("\n"),
        details: extra.filter_map(|(word, text)| Some(format!("{word}: {}", clean(text.as_ref()?)))).collect(),
        source: message.source.clone(),
        fingerprint: Fingerprint::of_parts(["diagnostic", &message.code, file, &message.message]).to_string(),
    }
}

/// Findings of a plan: its diagnostics, and each change that has a hazard or cannot be made.
pub fn of_plan(plan: &Plan) -> Vec<Finding> {
    let mut findings = of_messages(&plan.diagnostics);
    for group in view::groups(plan) {
        for change in &group.changes {
            let action = change.action;
            let address = clean(&action.address.to_string()).into_owned();
            let impact =
                change.impact.iter().chain(&change.notes).map(|sentence| clean(&sentence.to_string()).into_owned());
            let details: Vec<String> = impact.collect();
            let told = clean(&action.address.told(action.on.as_ref())).into_owned();
            let explained =
                action.op == Op::Blocked && change.blocked_by.iter().any(|message| message.source.is_some());
            let hazards = action.hazards.iter().map(|hazard| {
                let message = format!("{} {told}", action.op.as_str());
                (hazard.as_str().to_owned(), Level::Warning, format!("{message}: {}", phrase::meaning(&[*hazard])))
            });
            let blocked = (action.op == Op::Blocked && !explained)
                .then(|| ("blocked".to_owned(), Level::Error, format!("{told} must change and cannot")));
            for (rule, level, message) in hazards.chain(blocked) {
                let fingerprint = Fingerprint::of_parts(["hazard", &rule, &action.address.to_string()]).to_string();
                findings.push(Finding {
                    rule,
                    level,
                    subject: address.clone(),
                    group: group_of(action.on.as_ref()),
                    message,
                    details: details.clone(),
                    source: action.source.clone(),
                    fingerprint,
                });
            }
        }
    }
    findings
}

/// Findings of drift: every resource that was looked at, and the diagnostics.
pub fn of_drift(report: &DriftReport<'_>) -> Vec<Finding> {
    of_resources(report).into_iter().chain(of_messages(report.diagnostics)).collect()
}

/// Findings of drift without the diagnostics, which are said elsewhere too.
pub fn of_resources(report: &DriftReport<'_>) -> Vec<Finding> {
    report.drift.iter().map(|drift| of_resource(report, drift)).collect()
}

fn of_resource(report: &DriftReport<'_>, drift: &Drift) -> Finding {
    let known = report.evidence.of(&drift.address);
    let address = clean(&drift.address.to_string()).into_owned();
    let told = clean(&drift.address.told(drift.on.as_ref())).into_owned();
    let is_known = known.is_some_and(|known| known.is_new == Some(false));
    let level = match drift.status {
        Status::InSync => Level::Passed,
        Status::Paused | Status::Unmanaged => Level::Skipped,
        _ if is_known => Level::Skipped,
        Status::Pending => Level::Warning,
        Status::Drifted | Status::Missing | Status::Conflict => Level::Error,
    };
    let before = if is_known { "known already: " } else { "" };
    let mut details: Vec<String> = drift.attributes.iter().map(sides).collect();
    details.extend(known.iter().flat_map(|known| known.told()).map(|told| clean(&told).into_owned()));
    Finding {
        rule: format!("drift-{}", drift.status.words().replace(' ', "-")),
        level,
        group: group_of(drift.on.as_ref()),
        message: format!("{before}{told} is {}: {}", drift.status.words(), phrase::status(drift)),
        subject: address,
        details,
        source: known.and_then(|known| known.source.clone()),
        fingerprint: fingerprint(drift).to_string(),
    }
}

fn sides(attribute: &DriftAttribute) -> String {
    let [applied, live, desired] = [&attribute.applied, &attribute.live, &attribute.desired].map(value::show);
    clean(&format!("{}: last applied {applied}, live {live}, policy {desired}", attribute.words())).into_owned()
}

fn group_of(on: Option<&QualifiedName>) -> String {
    on.map_or_else(|| DATABASE.to_owned(), |on| clean(&on.to_string()).into_owned())
}
