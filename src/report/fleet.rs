//! Several targets in one report: a table of all, and then each by itself.

use serde_json::{Value as Json, json};

use crate::diff::Status;
use crate::plan::{Message, Plan};
use crate::report::html;
use crate::report::input::{DriftReport, Outcome, RunReport};
use crate::report::json;
use crate::report::markdown;
use crate::report::phrase;
use crate::report::table::{Cell, Mood, Table, columns};
use crate::report::text;
use crate::report::{Format, Options};

/// What became of one target.
#[derive(Clone, Debug)]
pub struct Member<T> {
    /// The target's name.
    pub name: String,
    /// What was found or done; nothing where it did not come to that.
    pub found: Option<T>,
    /// How it ended, in a word or a few: `changes`, `no changes`, `connect-failed`.
    pub result: String,
    /// How the result is to be taken.
    pub ending: Ending,
    /// What was said, beside what the report itself holds.
    pub messages: Vec<Message>,
}

/// How a target's result is to be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// In order.
    Well,
    /// There is something to look at.
    Open,
    /// It failed, or was refused.
    Badly,
}

/// What became of several targets.
#[derive(Clone, Debug)]
pub struct Fleet<T> {
    /// Each, in the order of the names.
    pub members: Vec<Member<T>>,
    /// The exit code of the command.
    pub exit: u8,
}

/// What can be reported of a target among several.
pub(super) trait Part {
    /// What a whole report is called: `plan`.
    const NOUN: &'static str;
    /// The columns after the target's name and its result; those that count stand to the right.
    const COLUMNS: &'static [(&'static str, bool)];
    /// Its cells.
    fn cells(&self) -> Vec<Cell>;
    /// Whether there is more to show than the table does.
    fn has_details(&self) -> bool;
    /// By itself, as text.
    fn text(&self, options: &Options) -> String;
    /// By itself, as Markdown.
    fn markdown(&self) -> String;
    /// By itself, onto a page.
    fn fill(&self, page: &mut html::Page);
    /// By itself, as a document.
    fn json(&self) -> Json;
}

fn number(count: usize) -> Cell {
    Cell::text(if count == 0 { "-".to_owned() } else { count.to_string() })
}

fn warned(count: usize, mood: Mood) -> Cell {
    number(count).mood(if count == 0 { Mood::Plain } else { mood })
}

impl Part for &Plan {
    const NOUN: &'static str = "plan";
    const COLUMNS: &'static [(&'static str, bool)] = &[
        ("create", true),
        ("update", true),
        ("replace", true),
        ("remove", true),
        ("blocked", true),
        ("hazards", false),
        ("database", false),
    ];

    fn cells(&self) -> Vec<Cell> {
        let summary = &self.summary;
        let hazards: Vec<&str> = self.hazards().iter().map(|hazard| hazard.as_str()).collect();
        let mood = if hazards.is_empty() { Mood::Plain } else { Mood::Warn };
        vec![
            number(summary.create),
            number(summary.update),
            number(summary.replace),
            number(summary.remove),
            warned(summary.blocked, Mood::Bad),
            Cell::text(if hazards.is_empty() { "-".to_owned() } else { hazards.join(", ") }).mood(mood),
            Cell::code(&self.target.database),
        ]
    }

    fn has_details(&self) -> bool {
        !self.is_empty() || phrase::errors(&self.diagnostics) > 0
    }

    fn text(&self, options: &Options) -> String {
        text::plan(self, options)
    }

    fn markdown(&self) -> String {
        markdown::plan(self)
    }

    fn fill(&self, page: &mut html::Page) {
        html::fill_plan(page, self);
    }

    fn json(&self) -> Json {
        self.to_json().ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }
}

impl Part for DriftReport<'_> {
    const NOUN: &'static str = "drift";
    const COLUMNS: &'static [(&'static str, bool)] = &[
        ("in sync", true),
        ("drifted", true),
        ("missing", true),
        ("conflict", true),
        ("pending", true),
        ("paused", true),
        ("unmanaged", true),
        ("database", false),
    ];

    fn cells(&self) -> Vec<Cell> {
        let count = |status: Status| self.drift.iter().filter(|drift| drift.status == status).count();
        vec![
            number(count(Status::InSync)),
            warned(count(Status::Drifted), Mood::Warn),
            warned(count(Status::Missing), Mood::Bad),
            warned(count(Status::Conflict), Mood::Bad),
            warned(count(Status::Pending), Mood::Warn),
            number(count(Status::Paused)),
            number(count(Status::Unmanaged)),
            Cell::code(&self.target.database),
        ]
    }

    fn has_details(&self) -> bool {
        self.drift.iter().any(|drift| drift.status.is_difference()) || phrase::errors(self.diagnostics) > 0
    }

    fn text(&self, options: &Options) -> String {
        text::drift(self, options)
    }

    fn markdown(&self) -> String {
        markdown::drift(self)
    }

    fn fill(&self, page: &mut html::Page) {
        html::fill_drift(page, self);
    }

    fn json(&self) -> Json {
        json::drift_value(self)
    }
}

impl Part for RunReport {
    const NOUN: &'static str = "run";
    const COLUMNS: &'static [(&'static str, bool)] = &[
        ("run", true),
        ("done", true),
        ("failed", true),
        ("cancelled", true),
        ("in doubt", true),
        ("skipped", true),
        ("took", true),
        ("database", false),
    ];

    fn cells(&self) -> Vec<Cell> {
        let took = if self.run.is_some() { super::elapsed(self.elapsed) } else { "-".to_owned() };
        vec![
            Cell::text(self.run.map_or_else(|| "-".to_owned(), |run| run.to_string())),
            number(self.count(Outcome::Done)),
            warned(self.count(Outcome::Failed), Mood::Bad),
            warned(self.count(Outcome::Cancelled), Mood::Warn),
            warned(self.count(Outcome::InDoubt), Mood::Bad),
            warned(self.count(Outcome::Skipped), Mood::Warn),
            Cell::text(took),
            Cell::code(&self.database),
        ]
    }

    fn has_details(&self) -> bool {
        !self.is_complete()
    }

    fn text(&self, options: &Options) -> String {
        text::run_summary(self, options)
    }

    fn markdown(&self) -> String {
        markdown::run_summary(self)
    }

    fn fill(&self, page: &mut html::Page) {
        html::fill_run(page, self);
    }

    fn json(&self) -> Json {
        // Nothing was begun: there is no run to speak of.
        if self.run.is_none() { Json::Null } else { json::run_value(self) }
    }
}

/// All targets at a glance.
pub(super) fn table<T: Part>(fleet: &Fleet<T>) -> Table {
    let columns = columns(&[&[("target", false), ("result", false)][..], T::COLUMNS].concat());
    let row = |member: &Member<T>| {
        let mut row = vec![Cell::code(&member.name), Cell::text(&member.result).mood(ending_mood(member))];
        match &member.found {
            Some(found) => row.extend(found.cells()),
            None => row.extend(T::COLUMNS.iter().map(|_| Cell::text("-"))),
        }
        row
    };
    Table { caption: "Targets".to_owned(), columns, rows: fleet.members.iter().map(row).collect() }
}

/// The mood of a member's result.
pub(super) fn ending_mood<T>(member: &Member<T>) -> Mood {
    match member.ending {
        Ending::Well => Mood::Good,
        Ending::Open => Mood::Warn,
        Ending::Badly => Mood::Bad,
    }
}

/// The fleet in one line: `3 targets: 1 changes, 2 no changes.`
pub(super) fn verdict<T>(fleet: &Fleet<T>) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for member in &fleet.members {
        match counts.iter_mut().find(|(result, _)| *result == member.result) {
            Some((_, count)) => *count += 1,
            None => counts.push((&member.result, 1)),
        }
    }
    let parts: Vec<String> = counts.iter().map(|(result, count)| format!("{count} {result}")).collect();
    format!("{}: {}.", phrase::many(fleet.members.len(), "target"), parts.join(", "))
}

/// The worst of a fleet.
pub(super) fn mood<T>(fleet: &Fleet<T>) -> Mood {
    let has = |ending: Ending| fleet.members.iter().any(|member| member.ending == ending);
    match (has(Ending::Badly), has(Ending::Open)) {
        (true, _) => Mood::Bad,
        (false, true) => Mood::Warn,
        (false, false) => Mood::Good,
    }
}

/// The members that have something of their own to show.
pub(super) fn detailed<T: Part>(fleet: &Fleet<T>, all: bool) -> impl Iterator<Item = (&Member<T>, &T)> {
    let with = |member: &'_ Member<T>| -> bool { member.found.as_ref().is_some_and(Part::has_details) };
    fleet
        .members
        .iter()
        .filter(move |member| all || with(member))
        .filter_map(|member| Some((member, member.found.as_ref()?)))
}

/// The report in the format that is asked for.
pub(super) fn render<T: Part>(fleet: &Fleet<T>, options: &Options) -> String {
    match options.format {
        Format::Text => text::fleet(fleet, options),
        Format::Json => json::pretty(&document(fleet)),
        Format::Markdown => markdown::fleet(fleet),
        Format::Html => html::fleet(fleet),
    }
}

fn document<T: Part>(fleet: &Fleet<T>) -> Json {
    let target = |member: &Member<T>| {
        let mut target = serde_json::Map::new();
        target.insert("target".to_owned(), member.name.clone().into());
        target.insert("result".to_owned(), member.result.clone().into());
        target.insert("ok".to_owned(), (member.ending != Ending::Badly).into());
        target.insert(T::NOUN.to_owned(), member.found.as_ref().map_or(Json::Null, Part::json));
        target.insert("diagnostics".to_owned(), json!(member.messages));
        Json::Object(target)
    };
    json!({
        "format_version": json::FORMAT_VERSION,
        "tool_version": env!("CARGO_PKG_VERSION"),
        "exit_code": fleet.exit,
        "targets": fleet.members.iter().map(target).collect::<Vec<_>>(),
    })
}
