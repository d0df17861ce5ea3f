//! Views for a pull request's comment.

mod drift;
mod history;
mod plan;

use crate::plan::{Message, Plan};
use crate::report::escape;
use crate::report::fleet::{self, Fleet, Part};
use crate::report::input::{DriftReport, LogLine, RunDetail, RunReport, Verification};
use crate::report::measure;
use crate::report::phrase::{self, Piece, Sentence};
use crate::report::table::{Cell, Mood, Table};

/// GitHub refuses a comment of more than 65,536 characters; some room is left for what a workflow
/// puts around it.
const LIMIT: usize = 65_000;

/// The longest value in a table's cell, in columns.
const CELL: usize = 240;

pub(super) fn plan(plan: &Plan) -> String {
    plan::render(plan)
}

pub(super) fn drift(report: &DriftReport<'_>) -> String {
    drift::render(report)
}

pub(super) fn run_summary(report: &RunReport) -> String {
    history::run_summary(report)
}

/// A sentence, and a table below it where that has rows.
pub(super) fn titled(verdict: &Sentence, shown: &Table) -> String {
    let head = format!("### {}\n\n", sentence(verdict));
    let body = if shown.rows.is_empty() { String::new() } else { table(shown) };
    fitting([head.clone() + &body, head].into_iter())
}

pub(super) fn ledger_log(lines: &[LogLine]) -> String {
    history::ledger_log(lines)
}

pub(super) fn ledger_show(run: &RunDetail) -> String {
    history::ledger_show(run)
}

pub(super) fn ledger_verify(found: &Verification) -> String {
    history::ledger_verify(found)
}

/// Several targets: the table, then each folded away; where that is too long, the table alone.
pub(super) fn fleet<T: Part>(fleet: &Fleet<T>) -> String {
    let head = heading(&fleet::verdict(fleet)) + &table(&fleet::table(fleet));
    let said: String = fleet
        .members
        .iter()
        .filter(|member| !member.messages.is_empty())
        .map(|member| format!("\n#### {}\n\n{}", value(&member.name), diagnostics(&member.messages)))
        .collect();
    let details: String = fleet::detailed(fleet, false)
        .map(|(member, found)| {
            let name = escape::html(&member.name);
            format!("\n<details><summary>{name}</summary>\n\n{}\n</details>\n", found.markdown())
        })
        .collect();
    let left_out = "\n*What each target needs is left out: with it this would be longer than a comment can be.*\n";
    fitting([format!("{head}{said}{details}"), format!("{head}{left_out}{said}")].into_iter())
}

/// Diagnostics as a list, worst first.
pub(super) fn diagnostics(messages: &[Message]) -> String {
    let sorted = ["error", "warning", "note"].into_iter();
    sorted.flat_map(|sort| messages.iter().filter(move |message| message.severity == sort)).map(diagnostic).collect()
}

fn diagnostic(message: &Message) -> String {
    let text = sentence(&Sentence::prose(&message.message));
    let mut item = format!("- **{}** {}: {text}", escape::markdown(&message.severity), value(&message.code));
    if let Some(source) = &message.source {
        item.push_str(&format!(" (at {})", value(&phrase::source(source))));
    }
    for (word, text) in [("Why", &message.why), ("Help", &message.help)] {
        if let Some(text) = text {
            item.push_str(&format!("<br>{word}: {}", sentence(&Sentence::prose(text))));
        }
    }
    item + "\n"
}

/// The first line: who speaks, and the verdict.
fn heading(verdict: &str) -> String {
    format!("### Chronoform · {}\n\n", escape::markdown(verdict))
}

/// A sentence with its names as code.
fn sentence(sentence: &Sentence) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => escape::markdown(&measure::shorten(text, CELL * 4, "…")),
        Piece::Code(text) => value(text),
    };
    sentence.0.iter().map(piece).collect()
}

/// A name or value as code, cut where it is no name any more.
fn value(text: &str) -> String {
    escape::markdown_code(&measure::shorten(&escape::clean(text), CELL, "…"))
}

/// The first rendering that is short enough, or else as many lines of the last as there is room for.
/// The last one must be of independent lines.
fn fitting(renderings: impl Iterator<Item = String>) -> String {
    let mut last = String::new();
    for text in renderings {
        if text.chars().count() <= LIMIT {
            return text;
        }
        last = text;
    }
    const NOTE: &str = "\n*The rest is left out: it would be longer than a comment can be.*\n";
    let mut room = LIMIT - NOTE.len();
    let mut out = String::new();
    for line in last.lines() {
        let length = line.chars().count() + 1;
        if length > room {
            break;
        }
        room -= length;
        out.push_str(line);
        out.push('\n');
    }
    out + NOTE
}

/// A plain table.
fn table(table: &Table) -> String {
    let mut out = String::from("|");
    for (title, _) in &table.columns {
        out.push_str(&format!(" {} |", escape::markdown(title)));
    }
    out.push_str("\n|");
    for (_, right) in &table.columns {
        out.push_str(if *right { "---:|" } else { "---|" });
    }
    out.push('\n');
    for row in &table.rows {
        out.push('|');
        for cell in row {
            out.push_str(&format!(" {} |", inline(cell)));
        }
        out.push('\n');
    }
    out
}

fn inline(cell: &Cell) -> String {
    match (cell.text.is_empty(), cell.code, cell.mood) {
        (true, ..) => String::new(),
        (_, true, _) => value(&cell.text),
        (_, false, Mood::Bad) => format!("**{}**", escape::markdown(&measure::shorten(&cell.text, CELL * 2, "…"))),
        (_, false, _) => escape::markdown(&measure::shorten(&cell.text, CELL * 2, "…")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_gives_way_to_what_is_shorter() {
        let long = "x".repeat(LIMIT + 1);
        assert_eq!(fitting([long.clone(), "short".to_owned()].into_iter()), "short");
        let lines = "a line\n".repeat(LIMIT);
        let cut = fitting([lines].into_iter());
        assert!(cut.chars().count() <= LIMIT && cut.ends_with("can be.*\n"));
        assert!(fitting([long].into_iter()).starts_with("\n*The rest"));
    }
}
