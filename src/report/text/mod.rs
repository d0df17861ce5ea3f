//! Views for a terminal.

mod drift;
mod ledger;
mod plan;
mod run;
mod screen;

use crate::core::{Hazard, Op};
use crate::plan::{Message, Plan};
use crate::report::Options;
use crate::report::fleet::{self, Fleet, Part};
use crate::report::input::{DriftReport, LogLine, RunDetail, RunReport, Verification};
use crate::report::phrase::{self, Level, Sentence};
use crate::report::table::{Mood, Table};
use screen::{Line, Screen, Tone};

pub(super) fn plan(plan: &Plan, options: &Options) -> String {
    plan::render(plan, options)
}

pub(super) fn drift(report: &DriftReport<'_>, options: &Options) -> String {
    drift::render(report, options)
}

pub(super) fn run_summary(report: &RunReport, options: &Options) -> String {
    run::render(report, options)
}

pub(super) fn titled(verdict: &Sentence, table: &Table, options: &Options) -> String {
    ledger::titled(verdict, table, options)
}

pub(super) fn ledger_log(lines: &[LogLine], options: &Options) -> String {
    ledger::log(lines, options)
}

pub(super) fn ledger_show(run: &RunDetail, options: &Options) -> String {
    ledger::show(run, options)
}

pub(super) fn ledger_verify(found: &Verification, options: &Options) -> String {
    ledger::verify(found, options)
}

/// Several targets: the table, then each that has something to show.
pub(super) fn fleet<T: Part>(fleet: &Fleet<T>, options: &Options) -> String {
    let mut screen = Screen::new(options);
    ledger::draw(&mut screen, &fleet::table(fleet));
    let mut out = screen.finish();
    if !options.quiet {
        for (member, found) in fleet::detailed(fleet, options.verbose > 0) {
            let mut title = Screen::new(options);
            title.line(0, 4, Line::new().tone(Tone::Bold, format!("── {} ", member.name)));
            out.push('\n');
            out.push_str(&title.finish());
            out.push_str(&found.text(options));
        }
    }
    out.push('\n');
    let mut last = Screen::new(options);
    last.line(0, 4, Line::new().tone(mood_tone(fleet::mood(fleet)), fleet::verdict(fleet)));
    out + &last.finish()
}

/// Diagnostics without snippets, for a plan whose policies are not at hand.
pub(super) fn diagnostics(messages: &[Message], options: &Options) -> String {
    let mut screen = Screen::new(options);
    for message in messages {
        let tone = severity_tone(&message.severity);
        let mut line = Line::new().tone(tone, format!("{}[{}]", message.severity, message.code));
        line = line.tone(Tone::Bold, ": ").tone(Tone::Bold, &message.message);
        screen.line(0, 4, line);
        if let Some(source) = &message.source {
            screen.line(2, 6, Line::new().tone(Tone::Dim, "at ").text(phrase::source(source)));
        }
        explain(&mut screen, message, 2);
    }
    screen.finish()
}

/// Why a diagnostic matters and what to do.
fn explain(screen: &mut Screen, message: &Message, indent: usize) {
    for (word, text) in [("why:  ", &message.why), ("help: ", &message.help)] {
        if let Some(text) = text {
            screen.line(indent, indent + 6, Line::new().tone(Tone::Dim, word).text(text));
        }
    }
}

fn severity_tone(severity: &str) -> Tone {
    match severity {
        "note" => Tone::Dim,
        "warning" => Tone::Warn,
        _ => Tone::Bad,
    }
}

const fn op_tone(op: Op) -> Tone {
    match op {
        Op::Create => Tone::Good,
        Op::Update => Tone::Change,
        Op::Replace => Tone::Warn,
        Op::Remove | Op::Blocked => Tone::Bad,
    }
}

const fn mood_tone(mood: Mood) -> Tone {
    match mood {
        Mood::Plain => Tone::Plain,
        Mood::Good => Tone::Good,
        Mood::Warn => Tone::Warn,
        Mood::Bad => Tone::Bad,
    }
}

/// The word before a danger, in its colour.
fn alarm(line: Line, level: Level) -> Line {
    let tone = if level == Level::Danger { Tone::Alarm } else { Tone::Warn };
    line.tone(tone, level.word()).text(" ")
}

/// The flags that allow some hazards, none torn from its value.
fn flags(line: Line, hazards: &[Hazard], tone: Tone) -> Line {
    hazards.iter().fold(line, |line, hazard| line.text(" ").tone(tone, "--allow").glue().tone(tone, hazard.as_str()))
}

/// A sentence on a line.
fn say(line: Line, sentence: &Sentence, tone: Tone) -> Line {
    sentence.0.iter().fold(line, |line, piece| match piece {
        phrase::Piece::Text(text) | phrase::Piece::Code(text) => line.tone(tone, text),
    })
}
