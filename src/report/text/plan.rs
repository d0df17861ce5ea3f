//! A plan for a terminal.

use crate::core::{Action, LockMode, Op, Step};
use crate::plan::Plan;
use crate::report::Options;
use crate::report::compare::{DiffLine, Tag};
use crate::report::escape;
use crate::report::measure;
use crate::report::phrase::{self, Level, Sentence};
use crate::report::text::screen::{Line, Screen, Tone, measured};
use crate::report::text::{alarm, explain, flags, op_tone, say};
use crate::report::view::{self, Change, Group, Row};

/// Where the details of a change begin.
const DETAIL: usize = 6;
/// The widest column that all rows are aligned to; what is wider stands out of line.
const WIDEST: usize = 40;
/// The least columns that attributes need to stand to the right of a label.
const ROOM: usize = 40;

pub(super) fn render(plan: &Plan, options: &Options) -> String {
    let mut screen = Screen::new(options);
    if !options.quiet {
        let title = Line::new().tone(Tone::Bold, "Plan for ");
        screen.line(0, 4, say(title, &phrase::target(&plan.target), Tone::Bold));
        for group in view::groups(plan) {
            screen.blank();
            draw_group(&mut screen, &group, options.verbose);
        }
        screen.blank();
    }
    draw_verdict(&mut screen, plan);
    if !options.quiet {
        draw_remarks(&mut screen, plan, options.verbose);
    }
    screen.finish()
}

fn draw_group(screen: &mut Screen, group: &Group<'_>, verbose: u8) {
    screen.line(0, 4, Line::new().tone(Tone::Bold, phrase::heading(group.on)));
    let sign = group.changes.iter().map(|change| phrase::symbol(change.action.op, screen.ascii).len());
    let sign = if screen.ascii { sign.max().unwrap_or(1) } else { 1 };
    let label = |change: &Change<'_>| measured(&change.label.to_string(), screen.ascii);
    let label = group.changes.iter().map(label).filter(|width| *width <= WIDEST).max().unwrap_or(0);
    for change in &group.changes {
        draw_change(screen, change, (sign, label), verbose);
    }
}

fn draw_change(screen: &mut Screen, change: &Change<'_>, (sign, label): (usize, usize), verbose: u8) {
    let tone = op_tone(change.action.op);
    let symbol = phrase::symbol(change.action.op, screen.ascii);
    let head = Line::new().tone(tone, symbol).column(sign, 0, screen.ascii).text(" ").tone(tone, &change.label.kind);
    let head = match &change.label.name {
        Some(name) => head.text(" ").tone(Tone::Bold, name),
        None => head,
    };
    // The attributes stand to the right of the labels where there is room, and below them elsewhere.
    let right = sign + 1 + label + 2;
    let column = if 2 + right + ROOM <= screen.width { right } else { DETAIL - 2 };
    let first = if head.width(screen.ascii) + 2 <= column {
        Some(head)
    } else {
        screen.line(2, DETAIL, head);
        None
    };
    // What is made again may have both: what it is, and what of it differs from before.
    let first = if change.rows.is_empty() || !change.whole.is_empty() {
        draw_whole(screen, change, first, column, verbose);
        None
    } else {
        first
    };
    draw_rows(screen, &change.rows, first, column, verbose);
    draw_details(screen, change, verbose);
    if verbose > 0 {
        draw_steps(screen, change.action);
    }
}

/// What is created or removed, on a line.
fn draw_whole(screen: &mut Screen, change: &Change<'_>, first: Option<Line>, column: usize, verbose: u8) {
    if change.whole.is_empty() {
        if let Some(line) = first {
            screen.line(2, DETAIL, line);
        }
        return;
    }
    let gone = matches!(change.action.reason, crate::core::Reason::Unwanted | crate::core::Reason::Dropped);
    let room = if verbose > 0 { usize::MAX } else { screen.width.saturating_mul(2) };
    let mut line = first.unwrap_or_default().column(column, 0, screen.ascii);
    if gone {
        line = line.tone(Tone::Dim, "was ");
    }
    for (index, (name, value)) in change.whole.iter().enumerate() {
        let value = measure::shorten(&escape::clean(value), room, screen.more());
        let comma = if index + 1 < change.whole.len() { ", " } else { "" };
        let tone = if gone { Tone::Dim } else { Tone::Plain };
        line = line.tone(Tone::Dim, format!("{name}:")).glue().tone(tone, value).tone(Tone::Dim, comma);
    }
    screen.line(2, 2 + column, line);
}

/// What changes, attribute by attribute.
fn draw_rows(screen: &mut Screen, rows: &[Row<'_>], mut first: Option<Line>, column: usize, verbose: u8) {
    let ascii = screen.ascii;
    let width = |text: &str| measured(text, ascii);
    let name = rows.iter().map(|row| width(row.name)).max().unwrap_or(0);
    let before = rows.iter().map(|row| width(&row.before)).filter(|width| *width <= WIDEST).max().unwrap_or(0);
    for row in rows {
        let line = first.take().unwrap_or_default().column(column, 0, screen.ascii).text(row.name);
        let value_column = column + name + 2;
        if (verbose > 0 || row.by_line) && !row.diff.is_empty() {
            screen.line(2, 2 + column, line);
            draw_diff(screen, &row.diff, 2 + column + 2);
            continue;
        }
        let needed = 2 + value_column + before.max(width(&row.before)) + 3 + width(&row.after);
        let line = line.column(value_column, 2, screen.ascii);
        if needed <= screen.width {
            let line = line.tone(Tone::Dim, &row.before).column(value_column + before, 0, screen.ascii).text(" ");
            screen.line(2, DETAIL, line.text(screen.arrow()).text(" ").tone(Tone::Bold, &row.after));
        } else {
            draw_tall(screen, row, line, value_column, verbose);
        }
    }
}

/// A change whose values are too long to stand side by side.
fn draw_tall(screen: &mut Screen, row: &Row<'_>, line: Line, value_column: usize, verbose: u8) {
    let room = if verbose > 0 { usize::MAX } else { screen.width.saturating_mul(2) };
    let more = screen.more();
    let short = |text: &str| measure::shorten(&escape::clean(text), room, more);
    let hang = 2 + value_column + 2;
    screen.line(2, hang, line.column(value_column + 2, 0, screen.ascii).tone(Tone::Dim, short(&row.before)));
    let arrow = Line::new().text(screen.arrow()).text(" ").tone(Tone::Bold, short(&row.after));
    screen.line(hang.saturating_sub(screen.arrow().chars().count() + 1), hang, arrow);
}

fn draw_diff(screen: &mut Screen, diff: &[DiffLine], indent: usize) {
    for line in diff {
        let tone = match line.tag {
            Tag::Hunk => Tone::Change,
            Tag::Same => Tone::Dim,
            Tag::Minus => Tone::Bad,
            Tag::Plus => Tone::Good,
        };
        let text = format!("{}{}", line.tag.sign(), line.text);
        screen.line(indent, indent, Line::new().verbatim(Tone::Dim, screen.bar()).verbatim(tone, &text));
    }
}

/// Dangers first, then what is touched and locked, then why.
fn draw_details(screen: &mut Screen, change: &Change<'_>, verbose: u8) {
    for message in &change.blocked_by {
        let line = Line::new().tone(Tone::Bad, "BLOCKED").text(" ").text(&message.message);
        screen.line(DETAIL, DETAIL + 8, line);
        if let Some(help) = message.help.as_deref().filter(|_| verbose == 0) {
            screen.line(DETAIL + 8, DETAIL + 14, Line::new().tone(Tone::Dim, "help: ").text(help));
        }
        if verbose > 0 {
            explain(screen, message, DETAIL + 8);
        }
    }
    if change.action.op == Op::Blocked && change.blocked_by.is_empty() {
        screen.line(DETAIL, DETAIL + 8, Line::new().tone(Tone::Bad, "BLOCKED").text(" see the errors of this plan"));
    }
    for (level, hazards) in &change.hazards {
        let tone = if *level == Level::Danger { Tone::Bad } else { Tone::Warn };
        let what = format!("{}: needs", phrase::meaning(hazards));
        let line = alarm(Line::new(), *level).tone(tone, what);
        screen.line(DETAIL, DETAIL + 8, flags(line, hazards, tone));
    }
    if let Some(impact) = &change.impact {
        screen.line(DETAIL, DETAIL + 2, say(Line::new(), impact, Tone::Plain));
    }
    for note in &change.notes {
        screen.line(DETAIL, DETAIL + 2, say(Line::new(), note, Tone::Plain));
    }
    for (mode, lock) in change.locks.iter().filter(|(mode, _)| verbose > 0 || phrase::is_felt(*mode)) {
        let tone = if *mode == LockMode::AccessExclusive { Tone::Heed } else { Tone::Dim };
        screen.line(DETAIL, DETAIL + 2, say(Line::new(), lock, tone));
    }
    let why = say(Line::new(), &phrase::reason(change.action.reason), Tone::Dim);
    let why = match &change.action.source {
        Some(source) => why.tone(Tone::Dim, format!(" ({})", phrase::source(source))),
        None => why,
    };
    screen.line(DETAIL, DETAIL + 2, why);
    for class in phrase::classes(change.action).iter().filter(|_| verbose > 0) {
        screen.line(DETAIL, DETAIL + 2, say(Line::new(), class, Tone::Dim));
    }
}

fn draw_steps(screen: &mut Screen, action: &Action) {
    for (index, step) in action.steps.iter().enumerate() {
        let title = step_title(step, index, action.steps.len());
        screen.line(DETAIL, DETAIL + 2, Line::new().tone(Tone::Dim, title));
        for line in escape::lines(&step.sql) {
            let indent = DETAIL + 2;
            screen.line(indent, indent, Line::new().verbatim(Tone::Dim, screen.bar()).verbatim(Tone::Plain, &line));
        }
    }
}

fn step_title(step: &Step, index: usize, steps: usize) -> String {
    let number = if steps > 1 { format!("step {} of {steps}", index + 1) } else { "SQL".to_owned() };
    if step.transactional { number } else { format!("{number}, outside a transaction") }
}

fn draw_verdict(screen: &mut Screen, plan: &Plan) {
    let tone = match (plan.is_empty(), phrase::errors(&plan.diagnostics)) {
        (true, 0) => Tone::Good,
        (true, _) => Tone::Bad,
        (false, _) => Tone::Bold,
    };
    screen.line(0, 6, Line::new().tone(tone, phrase::verdict(plan)));
    let dangers = view::dangers(plan);
    for danger in &dangers {
        screen.line(0, 8, say(alarm(Line::new(), danger.level), &view::danger(danger), Tone::Plain));
    }
    if let Some(obstacle) = phrase::obstacle(plan) {
        screen.line(0, 8, Line::new().tone(Tone::Bad, "BLOCKED").text(" ").text(obstacle));
    } else if !dangers.is_empty() {
        let line = Line::new().text("If that is meant: ").tone(Tone::Bold, plan.command());
        screen.line(0, 4, flags(line, &view::hazards(&dangers), Tone::Bold));
    }
}

fn draw_remarks(screen: &mut Screen, plan: &Plan, verbose: u8) {
    let most = if verbose > 0 { usize::MAX } else { 5 };
    for remark in view::remarks(plan, most) {
        screen.line(0, 4, say(Line::new(), &remark, Tone::Dim));
    }
    let said = phrase::said(&plan.diagnostics);
    if !said.is_empty() {
        screen.line(0, 4, say(Line::new(), &Sentence::of(format!("Diagnostics: {said}.")), Tone::Dim));
    }
}
