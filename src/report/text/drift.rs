//! Drift for a terminal.

use crate::diff::{Drift, Status};
use crate::report::Options;
use crate::report::escape;
use crate::report::evidence::Known;
use crate::report::input::DriftReport;
use crate::report::measure;
use crate::report::phrase::{self, Label};
use crate::report::text::screen::{Line, Screen, Tone, measured};
use crate::report::text::{mood_tone, say};
use crate::report::value;
use crate::report::view;

/// Where the attributes of a resource begin.
const DETAIL: usize = 6;
/// The widest label that all reasons are aligned to.
const WIDEST: usize = 40;

pub(super) fn render(report: &DriftReport<'_>, options: &Options) -> String {
    let mut screen = Screen::new(options);
    if !options.quiet {
        let title = Line::new().tone(Tone::Bold, "Drift of ");
        screen.line(0, 4, say(title, &phrase::target(report.target), Tone::Bold));
        let wanted = |drift: &&Drift| match drift.status {
            Status::InSync | Status::Unmanaged => options.verbose > 0,
            _ => true,
        };
        for view::Standings { on, resources } in view::drift_groups(report.drift.iter().filter(wanted)) {
            screen.blank();
            screen.line(0, 4, Line::new().tone(Tone::Bold, phrase::heading(on)));
            draw_resources(&mut screen, report, &resources, options.verbose);
        }
        screen.blank();
    }
    draw_verdict(&mut screen, report, options);
    screen.finish()
}

const fn tone_of(status: Status) -> Tone {
    match status {
        Status::InSync => Tone::Good,
        Status::Paused | Status::Unmanaged => Tone::Dim,
        Status::Pending => Tone::Change,
        Status::Drifted => Tone::Warn,
        Status::Missing | Status::Conflict => Tone::Bad,
    }
}

fn draw_resources(screen: &mut Screen, report: &DriftReport<'_>, resources: &[(Label, &Drift)], verbose: u8) {
    let name = resources.iter().map(|(label, _)| measured(&label.to_string(), screen.ascii));
    let name = name.filter(|width| *width <= WIDEST).max().unwrap_or(0);
    let word = resources.iter().map(|(_, drift)| drift.status.words().len()).max().unwrap_or(0);
    for (label, drift) in resources {
        let tone = tone_of(drift.status);
        let sign = phrase::status_symbol(drift, screen.ascii);
        let line = Line::new().tone(tone, sign).text(" ").tone(tone, drift.status.words());
        let line = line.column(word + 4, 2, screen.ascii).text(&label.kind);
        let line = match &label.name {
            Some(name) => line.text(" ").tone(Tone::Bold, name),
            None => line,
        };
        let line = if drift.status == Status::InSync {
            line
        } else {
            let line = line.column(word + 4 + name + 2, 2, screen.ascii);
            line.tone(Tone::Dim, phrase::status(drift))
        };
        screen.line(2, DETAIL, line);
        draw_attributes(screen, drift, verbose);
        let known = report.evidence.of(&drift.address).filter(|_| drift.status.is_difference() || verbose > 0);
        for told in known.into_iter().flat_map(Known::told) {
            screen.line(DETAIL, DETAIL + 2, Line::new().tone(Tone::Dim, told));
        }
    }
}

/// Each attribute's three sides, side by side where they fit and below each other where not.
fn draw_attributes(screen: &mut Screen, drift: &Drift, verbose: u8) {
    const SIDES: [&str; 3] = ["last applied", "live", "policy"];
    if drift.attributes.is_empty() {
        return;
    }
    let room = if verbose > 0 { usize::MAX } else { screen.width.saturating_mul(2) };
    let shown = |text: String| measure::shorten(&escape::clean(&text), room, screen.more());
    let rows: Vec<(&str, [String; 3])> = drift
        .attributes
        .iter()
        .map(|attribute| {
            let sides = [&attribute.applied, &attribute.live, &attribute.desired];
            (attribute.words(), sides.map(|side| shown(value::show(side))))
        })
        .collect();
    let measured = |text: &str| measured(text, screen.ascii);
    let name = rows.iter().map(|(name, _)| measured(name)).max().unwrap_or(0);
    let mut widths = SIDES.map(str::len);
    for (_, sides) in &rows {
        for (width, side) in widths.iter_mut().zip(sides) {
            *width = (*width).max(measured(side));
        }
    }
    if DETAIL + name + widths.iter().map(|width| width + 3).sum::<usize>() <= screen.width {
        draw_wide(screen, &rows, name, widths, SIDES);
    } else {
        draw_tall(screen, &rows, SIDES);
    }
}

fn draw_wide(screen: &mut Screen, rows: &[(&str, [String; 3])], name: usize, widths: [usize; 3], heads: [&str; 3]) {
    let mut head = Line::new();
    let mut at = name;
    for (word, width) in heads.iter().zip(widths) {
        head = head.column(at + 3, 3, screen.ascii).tone(Tone::Dim, word);
        at += 3 + width;
    }
    screen.line(DETAIL, DETAIL, head);
    for (attribute, sides) in rows {
        let mut line = Line::new().text(attribute);
        let mut at = name;
        for (index, (side, width)) in sides.iter().zip(widths).enumerate() {
            line = line.column(at + 3, 3, screen.ascii).tone(side_tone(sides, index), side);
            at += 3 + width;
        }
        screen.line(DETAIL, DETAIL, line);
    }
}

fn draw_tall(screen: &mut Screen, rows: &[(&str, [String; 3])], heads: [&str; 3]) {
    for (attribute, sides) in rows {
        screen.line(DETAIL, DETAIL, Line::new().text(attribute));
        for (index, (side, head)) in sides.iter().zip(heads).enumerate() {
            let line = Line::new().tone(Tone::Dim, head).column(14, 2, screen.ascii);
            screen.line(DETAIL + 2, DETAIL + 16, line.tone(side_tone(sides, index), side));
        }
    }
}

/// The live side stands out where it is not what the policy wants.
fn side_tone(sides: &[String; 3], index: usize) -> Tone {
    let [applied, live, desired] = sides;
    match index {
        0 if applied == live => Tone::Dim,
        1 if live != desired => Tone::Warn,
        _ => Tone::Plain,
    }
}

fn draw_verdict(screen: &mut Screen, report: &DriftReport<'_>, options: &Options) {
    let tone = mood_tone(view::drift_mood(report));
    screen.line(0, 4, Line::new().tone(tone, view::drift_verdict(report)));
    if options.quiet {
        return;
    }
    let unmanaged = report.drift.iter().filter(|drift| drift.status == Status::Unmanaged);
    let names = unmanaged.map(|drift| Label::anywhere(&drift.address, drift.on.as_ref()));
    let count = view::standing(report.drift, Status::Unmanaged);
    if count > 0 && options.verbose == 0 {
        let line = Line::new().tone(Tone::Dim, format!("Unmanaged, and left alone ({count}): "));
        screen.line(0, 4, say(line, &view::listed(names, 5), Tone::Dim));
    }
    for remark in view::drift_remarks(report) {
        screen.line(0, 4, Line::new().tone(Tone::Dim, remark));
    }
    let said = phrase::said(report.diagnostics);
    if !said.is_empty() {
        screen.line(0, 4, Line::new().tone(Tone::Dim, format!("Diagnostics: {said}.")));
    }
    let steps = view::healing(report);
    let width = steps.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    for (command, what) in steps {
        let line = Line::new().tone(Tone::Bold, command).column(width + 2, 2, screen.ascii);
        screen.line(2, 2 + width + 2, line.text(what));
    }
}
