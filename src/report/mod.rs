//! Plans, drift, runs and the ledger's log as text, JSON, Markdown and HTML.
//!
//! Nothing here prints: every view is a `String`, and the command line decides where it goes. What
//! is said is decided once, in [`phrase`] and [`view`]; the formats only decide how it looks. Names
//! and values come from databases and files that nobody vouches for, so each passes through
//! [`escape`] on its way out.

mod archive;
mod backup;
mod clock;
mod compare;
mod escape;
mod evidence;
pub mod findings;
mod fleet;
mod history;
mod html;
mod input;
mod json;
mod markdown;
mod measure;
mod phrase;
mod table;
mod text;
mod value;
mod view;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

use crate::plan::{Message, Plan};

pub use archive::{
    ArchiveLine, ArchivePart, ArchivePreview, ArchiveRestored, list as archive_list, query as archive_query,
    restored as archive_restored, verify as archive_verify,
};
pub use backup::{
    BackupLine, BackupList, BackupRestored, DrillLine, drill as backup_drill, list as backup_list,
    restored as backup_restored, verify as backup_verify,
};
pub use clock::{elapsed, when};
pub use escape::clean;
pub use evidence::{AppliedBy, Evidence, Known, ServerWord, fingerprint};
pub use fleet::{Ending, Fleet, Member};
pub use input::{
    ActionOutcome, DriftReport, LogLine, Outcome, Problem, ResourceLine, RunDetail, RunReport, StepLine, StoppedAt,
    Verification,
};

/// What a view is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For a pull request's comment.
    Markdown,
    /// For a browser: one file that needs nothing else.
    Html,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Text, Self::Json, Self::Markdown, Self::Html];

    /// The word that `--format` takes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Html => "html",
        }
    }
}

/// How a view is to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// In what format.
    pub format: Format,
    /// Text: with ANSI colours.
    pub color: bool,
    /// Text: without anything outside ASCII, for a terminal that cannot show it.
    pub ascii: bool,
    /// Text: 0 is what matters, 1 also the SQL and what is in order.
    pub verbose: u8,
    /// Text: the totals and dangers only.
    pub quiet: bool,
    /// Text: columns of the terminal; less than 40 counts as 40.
    pub width: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { format: Format::Text, color: false, ascii: false, verbose: 0, quiet: false, width: 100 }
    }
}

/// What would change, why, and what it costs.
pub fn plan(plan: &Plan, options: &Options) -> String {
    match options.format {
        Format::Text => text::plan(plan, options),
        Format::Json => json::plan(plan),
        Format::Markdown => markdown::plan(plan),
        Format::Html => html::plan(plan),
    }
}

/// Where each resource stands between what was applied, what is live and what policies want.
pub fn drift(report: &DriftReport<'_>, options: &Options) -> String {
    match options.format {
        Format::Text => text::drift(report, options),
        Format::Json => json::drift(report),
        Format::Markdown => markdown::drift(report),
        Format::Html => html::drift(report),
    }
}

/// What an apply did, how long it took, and what it left.
pub fn run_summary(report: &RunReport, options: &Options) -> String {
    match options.format {
        Format::Text => text::run_summary(report, options),
        Format::Json => json::run_summary(report),
        Format::Markdown => markdown::run_summary(report),
        Format::Html => html::run_summary(report),
    }
}

/// What would change on several targets: a table, and then each that has changes.
pub fn plans(fleet: &Fleet<&Plan>, options: &Options) -> String {
    fleet::render(fleet, options)
}

/// Where several targets stand: a table, and then each that differs.
pub fn drifts(fleet: &Fleet<DriftReport<'_>>, options: &Options) -> String {
    fleet::render(fleet, options)
}

/// What was done to several targets: a table, and then each that is not done.
pub fn runs(fleet: &Fleet<RunReport>, options: &Options) -> String {
    fleet::render(fleet, options)
}

/// Diagnostics that come without their policy's text, as those of a stored plan do.
pub fn diagnostics(messages: &[Message], options: &Options) -> String {
    match options.format {
        Format::Text => text::diagnostics(messages, options),
        Format::Json => json::pretty(&messages),
        Format::Markdown => markdown::diagnostics(messages),
        Format::Html => html::diagnostics(messages),
    }
}

/// The runs of a ledger, in the order given.
pub fn ledger_log(lines: &[LogLine], options: &Options) -> String {
    match options.format {
        Format::Text => text::ledger_log(lines, options),
        Format::Json => json::ledger_log(lines),
        Format::Markdown => markdown::ledger_log(lines),
        Format::Html => html::ledger_log(lines),
    }
}

/// One run of a ledger, with its statements and what they did.
pub fn ledger_show(run: &RunDetail, options: &Options) -> String {
    match options.format {
        Format::Text => text::ledger_show(run, options),
        Format::Json => json::pretty(run),
        Format::Markdown => markdown::ledger_show(run),
        Format::Html => html::ledger_show(run),
    }
}

/// Whether a ledger's chain holds.
pub fn ledger_verify(found: &Verification, options: &Options) -> String {
    match options.format {
        Format::Text => text::ledger_verify(found, options),
        Format::Json => json::ledger_verify(found),
        Format::Markdown => markdown::ledger_verify(found),
        Format::Html => html::ledger_verify(found),
    }
}
