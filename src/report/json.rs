//! Views for programs. A plan's is the document that `apply --plan` reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use crate::core::{Address, Op, QualifiedName};
use crate::diff::{Drift, Status};
use crate::plan::Plan;
use crate::report::escape::is_deceptive;
use crate::report::evidence::{Known, fingerprint};
use crate::report::input::{ActionOutcome, DriftReport, LogLine, Outcome, RunReport, StoppedAt, Verification};
use crate::report::view;

/// The format of the documents made here; a plan has its own.
pub(super) const FORMAT_VERSION: u32 = 1;

/// The plan's document, byte for byte the same once it is read.
pub(super) fn plan(plan: &Plan) -> String {
    safe(&plan.to_json().unwrap_or_else(|error| broken(&error)))
}

/// Any document, indented, with a newline at its end.
pub(super) fn pretty(value: &impl Serialize) -> String {
    safe(&serde_json::to_string_pretty(value).map_or_else(|error| broken(&error), |text| text + "\n"))
}

/// A value that has no JSON form is a defect; nothing here prints, so it is said in the document.
fn broken(error: &serde_json::Error) -> String {
    format!("{}\n", json!({ "error": error.to_string() }))
}

/// JSON whose strings cannot play with the terminal: what a person cannot see is written `\uXXXX`,
/// which reads as the same text. Such characters stand nowhere but in strings.
fn safe(document: &str) -> String {
    let mut out = String::with_capacity(document.len());
    let mut units = [0_u16; 2];
    for c in document.chars() {
        if c != '\n' && is_deceptive(c) {
            for unit in c.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

pub(super) fn drift(report: &DriftReport<'_>) -> String {
    pretty(&drift_value(report))
}

/// The document of a drift report.
pub(super) fn drift_value(report: &DriftReport<'_>) -> Json {
    let every = [
        Status::InSync,
        Status::Paused,
        Status::Unmanaged,
        Status::Pending,
        Status::Drifted,
        Status::Missing,
        Status::Conflict,
    ];
    let summary: Vec<(String, Json)> = every
        .iter()
        .map(|status| (status.words().replace(' ', "_"), Json::from(view::standing(report.drift, *status))))
        .collect();
    json!({
        "format_version": FORMAT_VERSION,
        "tool_version": report.tool_version,
        "target": report.target,
        "summary": summary.into_iter().collect::<serde_json::Map<_, _>>(),
        "compared_with": report.evidence.earlier,
        "server_silence": report.evidence.silence,
        "resources": report.drift.iter().map(|drift| resource(report, drift)).collect::<Vec<_>>(),
        "diagnostics": report.diagnostics,
    })
}

/// A resource's standing, with its fingerprint where it differs, and with what is known of it.
fn resource(report: &DriftReport<'_>, drift: &Drift) -> Json {
    let mut json = serde_json::to_value(drift).unwrap_or_default();
    if let Json::Object(fields) = &mut json {
        if drift.status.is_difference() {
            fields.insert("fingerprint".to_owned(), json!(fingerprint(drift)));
        }
        let known = report.evidence.of(&drift.address).into_iter().flat_map(Known::fields);
        fields.extend(known.filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)));
    }
    json
}

pub(super) fn run_summary(report: &RunReport) -> String {
    pretty(&run_value(report))
}

/// The document of a run.
pub(super) fn run_value(report: &RunReport) -> Json {
    let summary: BTreeMap<String, usize> =
        Outcome::ALL.iter().map(|outcome| (word(*outcome), report.count(*outcome))).collect();
    json!({
        "format_version": FORMAT_VERSION,
        "run": report.run,
        "database": report.database,
        "complete": report.is_complete(),
        "interrupted": report.interrupted,
        "seconds": seconds(report.elapsed),
        "summary": summary,
        "adopted": report.adopted,
        "actions": report.actions.iter().map(ActionLine::of).collect::<Vec<_>>(),
        "stopped_at": report.stopped_at.as_ref().map(StopLine::of),
    })
}

#[derive(Serialize)]
struct ActionLine<'a> {
    #[serde(flatten)]
    address: &'a Address,
    on: &'a Option<QualifiedName>,
    op: Op,
    outcome: Outcome,
    seconds: f64,
    error: &'a Option<String>,
    steps: Json,
}

impl<'a> ActionLine<'a> {
    fn of(action: &'a ActionOutcome) -> Self {
        Self {
            address: &action.address,
            on: &action.on,
            op: action.op,
            outcome: action.outcome,
            seconds: seconds(action.elapsed),
            error: &action.error,
            steps: json!({ "done": action.steps_done, "total": action.steps_total }),
        }
    }
}

#[derive(Serialize)]
struct StopLine<'a> {
    #[serde(flatten)]
    address: &'a Address,
    step: usize,
    sql: &'a str,
}

impl<'a> StopLine<'a> {
    fn of(stopped: &'a StoppedAt) -> Self {
        Self { address: &stopped.address, step: stopped.step, sql: &stopped.sql }
    }
}

fn word(outcome: Outcome) -> String {
    json!(outcome).as_str().unwrap_or_default().to_owned()
}

/// To the millisecond.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

pub(super) fn ledger_log(lines: &[LogLine]) -> String {
    pretty(&json!({ "format_version": FORMAT_VERSION, "runs": lines.iter().map(line).collect::<Vec<_>>() }))
}

pub(super) fn ledger_verify(found: &Verification) -> String {
    pretty(&json!({
        "format_version": FORMAT_VERSION,
        "file": found.file,
        "holds": found.problems.is_empty(),
        "entries": found.entries,
        "head": found.head,
        "problems": found.problems,
    }))
}

fn line(line: &LogLine) -> Json {
    let at = jiff::Timestamp::from_microsecond(line.when).map_or(Json::Null, |moment| moment.to_string().into());
    json!({
        "run": line.run,
        "started": at,
        "command": line.command,
        "who": line.who,
        "database": line.database,
        "outcome": line.outcome,
        "summary": line.summary,
        "seconds": line.elapsed.map(seconds),
    })
}

/// A run's line within another document.
pub(super) fn log_line<S: Serializer>(run: &LogLine, serializer: S) -> Result<S::Ok, S::Error> {
    line(run).serialize(serializer)
}

/// Seconds to the millisecond, or null.
pub(super) fn optional_seconds<S: Serializer>(elapsed: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    elapsed.map(seconds).serialize(serializer)
}
