//! What was done, as every format tells it: a run at its end, and the ledger's memory of runs.

use crate::report::clock;
use crate::report::input::{ActionOutcome, LogLine, Outcome, RunDetail, RunReport, StepLine, Verification};
use crate::report::phrase::{self, Sentence};
use crate::report::table::{Cell, Mood, Table, columns, mood_of};

/// The heading of a run.
pub(super) fn run_title(report: &RunReport) -> Sentence {
    let database = crate::core::name::quote_identifier(&report.database);
    let sentence = match report.run {
        Some(run) => Sentence::of(format!("Run {run} on ")),
        None => Sentence::of("Run on "),
    };
    sentence.code(database)
}

/// A run in one line.
pub(super) fn run_verdict(report: &RunReport) -> String {
    let took = clock::elapsed(report.elapsed);
    let all = report.actions.len();
    if all == 0 {
        return "Nothing was to be done.".to_owned();
    }
    if report.is_complete() {
        return format!("Applied {} in {took}.", phrase::many(all, "change"));
    }
    let parts: Vec<String> = Outcome::ALL
        .iter()
        .map(|outcome| (report.count(*outcome), *outcome))
        .filter(|(number, _)| *number > 0)
        .map(|(number, outcome)| format!("{number} {}", phrase::outcome_word(outcome)))
        .collect();
    let how = if report.interrupted { "Interrupted" } else { "Stopped" };
    format!("{how} after {took}: of {}, {}.", phrase::many(all, "change"), parts.join(", "))
}

/// What else is to be said at the end of a run.
pub(super) fn run_remarks(report: &RunReport) -> Vec<Sentence> {
    let mut remarks = Vec::new();
    if let Some(stopped) = &report.stopped_at {
        let step = format!("Stopped at step {} of ", stopped.step);
        let on = report.actions.iter().find(|action| action.address == stopped.address);
        let named = stopped.address.told(on.and_then(|action| action.on.as_ref()));
        remarks.push(Sentence::of(step).code(named).text("."));
    }
    if report.count(Outcome::InDoubt) > 0 {
        let text = "The connection was lost during a statement: the next run looks whether it happened.";
        remarks.push(Sentence::of(text));
    }
    if report.adopted > 0 {
        let what = phrase::many(report.adopted, "resource");
        remarks.push(Sentence::of(format!("Adopted {what} that needed no change.")));
    }
    if !report.is_complete() {
        let of_target = report.target.as_ref().map(|name| format!(" --target {name}")).unwrap_or_default();
        let left = Sentence::default().code(format!("chronoform plan{of_target}")).text(" shows what is left to do");
        let show = |run: i64| format!("chronoform ledger show {run}{of_target}");
        remarks.push(match report.run {
            Some(run) => left.text(", ").code(show(run)).text(" what was done."),
            None => left.text("."),
        });
    }
    remarks
}

/// How far an action came that did not come to its end.
pub(super) fn steps_done(action: &ActionOutcome) -> Option<String> {
    let begun = !matches!(action.outcome, Outcome::Done | Outcome::Skipped);
    (begun && action.steps_total > 1).then(|| format!("{} of {} steps done", action.steps_done, action.steps_total))
}

/// A ledger's runs.
pub(super) fn log_table(lines: &[LogLine]) -> Table {
    let columns = columns(&[
        ("run", true),
        ("when", false),
        ("database", false),
        ("command", false),
        ("who", false),
        ("outcome", false),
        ("took", true),
        ("what", false),
    ]);
    let row = |line: &LogLine| {
        vec![
            Cell::text(line.run.to_string()),
            Cell::text(clock::when(line.when)),
            Cell::code(&line.database),
            Cell::code(&line.command),
            Cell::text(&line.who),
            Cell::text(words(&line.outcome)).mood(mood_of(&line.outcome)),
            Cell::text(line.elapsed.map(clock::elapsed).unwrap_or_default()),
            Cell::text(summary(line)),
        ]
    };
    Table { caption: "Runs".to_owned(), columns, rows: lines.iter().map(row).collect() }
}

/// `2 created, 1 failed`; what did not happen is not said.
fn summary(line: &LogLine) -> String {
    let past = |word: &str| match word {
        "create" | "update" | "replace" | "remove" => format!("{}d", word),
        "adopt" => "adopted".to_owned(),
        other => words(other),
    };
    let counts = line.summary.iter().filter(|(_, count)| **count > 0);
    counts.map(|(name, count)| format!("{count} {}", past(name))).collect::<Vec<_>>().join(", ")
}

/// `in_doubt` as words.
fn words(word: &str) -> String {
    word.replace('_', " ")
}

/// What is known of a run, name by name.
pub(super) fn run_facts(run: &RunDetail) -> Vec<(&'static str, Cell)> {
    let line = &run.run;
    let mut facts = vec![
        ("run", Cell::text(line.run.to_string())),
        ("command", Cell::code(&line.command)),
        ("database", Cell::code(&line.database)),
        ("began", Cell::text(clock::when(line.when))),
    ];
    if let Some(elapsed) = line.elapsed {
        facts.push(("took", Cell::text(clock::elapsed(elapsed))));
    }
    facts.push(("outcome", Cell::text(words(&line.outcome)).mood(mood_of(&line.outcome))));
    let summary = summary(line);
    if !summary.is_empty() {
        facts.push(("what", Cell::text(summary)));
    }
    facts.push(("by", Cell::text(&line.who)));
    let more = [("role", &run.role), ("plan", &run.plan_digest), ("policies", &run.policies_digest)];
    facts.extend(more.into_iter().filter_map(|(name, value)| Some((name, Cell::code(value.as_ref()?)))));
    facts
}

/// What a run did to the ledger's record of resources.
pub(super) fn resource_table(run: &RunDetail) -> Table {
    let row = |resource: &crate::report::ResourceLine| {
        let change = Cell::text(words(&resource.change)).mood(mood_of(&resource.change));
        vec![change, Cell::code(&resource.address)]
    };
    Table {
        caption: "Resources".to_owned(),
        columns: columns(&[("record", false), ("resource", false)]),
        rows: run.resources.iter().map(row).collect(),
    }
}

/// What became of a statement, with the time that it took.
pub(super) fn step_state(step: &StepLine) -> String {
    match (step.state.as_str(), step.elapsed) {
        (state, Some(elapsed)) => format!("{} in {}", words(state), clock::elapsed(elapsed)),
        (state, None) => words(state),
    }
}

/// A ledger's soundness in one line.
pub(super) fn verify_verdict(found: &Verification) -> Sentence {
    let entries = phrase::count(found.entries, "entry").replace("entrys", "entries");
    let sentence = Sentence::of("The ledger ").code(&found.file);
    match found.problems.len() {
        0 => sentence.text(format!(" holds: {entries}, each bound to the one before.")),
        problems => sentence.text(format!(" does not hold: {} in {entries}.", phrase::many(problems, "problem"))),
    }
}

/// The mood of an outcome.
pub(super) const fn outcome_mood(outcome: Outcome) -> Mood {
    match outcome {
        Outcome::Done => Mood::Good,
        Outcome::Skipped | Outcome::Cancelled => Mood::Warn,
        Outcome::Failed | Outcome::InDoubt => Mood::Bad,
    }
}

/// What became of each action, as a table.
pub(super) fn outcome_table(report: &RunReport) -> Table {
    let row = |action: &ActionOutcome| {
        let mood = outcome_mood(action.outcome);
        let steps = steps_done(action).map(|steps| format!(", {steps}")).unwrap_or_default();
        let outcome = phrase::outcome_word(action.outcome);
        let took = if action.outcome == Outcome::Skipped { String::new() } else { clock::elapsed(action.elapsed) };
        vec![
            Cell::text(action.op.as_str()),
            Cell::code(action.address.told(action.on.as_ref())),
            Cell::text(format!("{outcome}{steps}")).mood(mood),
            Cell::text(took),
            Cell::text(action.error.as_deref().map(one_line).unwrap_or_default()),
        ]
    };
    let columns =
        columns(&[("change", false), ("resource", false), ("outcome", false), ("took", true), ("error", false)]);
    Table { caption: "Changes".to_owned(), columns, rows: report.actions.iter().map(row).collect() }
}

/// A server's message, which may have a detail on a line of its own.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

/// What does not hold in a ledger.
pub(super) fn problem_table(found: &Verification) -> Table {
    let row = |problem: &crate::report::Problem| {
        let entry = problem.entry.map(|entry| entry.to_string()).unwrap_or_default();
        vec![Cell::text(entry), Cell::text(&problem.message).mood(Mood::Bad)]
    };
    let columns = columns(&[("entry", true), ("what is wrong", false)]);
    Table { caption: "Problems".to_owned(), columns, rows: found.problems.iter().map(row).collect() }
}
