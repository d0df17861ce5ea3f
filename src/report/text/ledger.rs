//! The ledger for a terminal.

use crate::report::Options;
use crate::report::escape;
use crate::report::history;
use crate::report::input::{LogLine, RunDetail, Verification};
use crate::report::phrase::Sentence;
use crate::report::table::{Cell, Table, mood_of};
use crate::report::text::screen::{Line, Screen, Tone, measured};
use crate::report::text::{mood_tone, say};

pub(super) fn log(lines: &[LogLine], options: &Options) -> String {
    let mut screen = Screen::new(options);
    if lines.is_empty() {
        screen.line(0, 4, Line::new().text("The ledger holds no runs."));
    } else {
        draw(&mut screen, &history::log_table(lines));
    }
    screen.finish()
}

pub(super) fn show(run: &RunDetail, options: &Options) -> String {
    let mut screen = Screen::new(options);
    let facts = history::run_facts(run);
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, cell) in &facts {
        let line = Line::new().tone(Tone::Dim, name).column(width + 2, 2, screen.ascii);
        screen.line(0, width + 2, line.tone(mood_tone(cell.mood), &cell.text));
    }
    if !run.steps.is_empty() {
        screen.blank();
        screen.line(0, 4, Line::new().tone(Tone::Bold, "Statements"));
    }
    for (index, step) in run.steps.iter().enumerate() {
        let tone = mood_tone(mood_of(&step.state));
        let line = Line::new().tone(Tone::Dim, format!("{}.", index + 1)).text(" ").text(step.op.as_str()).text(" ");
        let line = line.tone(Tone::Bold, &step.address).text("  ").tone(tone, history::step_state(step));
        screen.line(2, 6, line);
        for line in escape::lines(&step.sql) {
            screen.line(6, 6, Line::new().verbatim(Tone::Dim, screen.bar()).verbatim(Tone::Plain, &line));
        }
        for (word, text) in [("error: ", &step.error), ("note: ", &step.note)] {
            if let Some(text) = text {
                screen.line(6, 8, Line::new().tone(tone, word).text(text));
            }
        }
    }
    if !run.resources.is_empty() {
        screen.blank();
        draw(&mut screen, &history::resource_table(run));
    }
    screen.finish()
}

pub(super) fn verify(found: &Verification, options: &Options) -> String {
    let mut screen = Screen::new(options);
    let holds = found.problems.is_empty();
    let tone = if holds { Tone::Good } else { Tone::Bad };
    screen.line(0, 4, say(Line::new(), &history::verify_verdict(found), tone));
    for problem in &found.problems {
        let place = problem.entry.map(|entry| format!("entry {entry}: ")).unwrap_or_default();
        screen.line(2, 4, Line::new().tone(Tone::Bad, place).text(&problem.message));
    }
    if let Some(head) = found.head.as_ref().filter(|_| !options.quiet) {
        screen.line(0, 4, Line::new().tone(Tone::Dim, "head ").text(head));
    }
    screen.finish()
}

/// A sentence, and a table below it where that has rows.
pub(super) fn titled(verdict: &Sentence, table: &Table, options: &Options) -> String {
    let mut screen = Screen::new(options);
    screen.line(0, 4, say(Line::new(), verdict, Tone::Bold));
    if !table.rows.is_empty() && !options.quiet {
        screen.blank();
        draw(&mut screen, table);
    }
    screen.finish()
}

/// A table with aligned columns. The last one is wrapped within itself when the terminal is narrow.
pub(super) fn draw(screen: &mut Screen, table: &Table) {
    let ascii = screen.ascii;
    let shown = |cell: &Cell| measured(&cell.text, ascii);
    let mut widths: Vec<usize> = table.columns.iter().map(|(title, _)| measured(title, ascii)).collect();
    for row in &table.rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(shown(cell));
        }
    }
    let starts: Vec<usize> = widths
        .iter()
        .scan(0, |at, width| {
            let start = *at;
            *at += width + 2;
            Some(start)
        })
        .collect();
    let head: Vec<Cell> = table.columns.iter().map(|(title, _)| Cell::text(title)).collect();
    for (index, row) in std::iter::once(&head).chain(&table.rows).enumerate() {
        let mut line = Line::new();
        for (((cell, start), width), (_, right)) in row.iter().zip(&starts).zip(&widths).zip(&table.columns) {
            let start = if *right { start + width - shown(cell) } else { *start };
            let tone = if index == 0 { Tone::Dim } else { mood_tone(cell.mood) };
            line = line.column(start, 0, screen.ascii).tone(tone, &cell.text);
        }
        screen.line(0, starts.last().copied().unwrap_or(0), line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::{Mood, columns};

    #[test]
    fn numbers_stand_to_the_right() {
        let mut screen = Screen::new(&Options::default());
        let rows =
            vec![vec![Cell::text("1"), Cell::text("a").mood(Mood::Bad)], vec![Cell::text("12"), Cell::text("b")]];
        draw(&mut screen, &Table { caption: String::new(), columns: columns(&[("run", true), ("x", false)]), rows });
        assert_eq!(screen.finish(), "run  x\n  1  a\n 12  b\n");
    }
}
