//! What a run did, for a terminal.

use crate::report::Options;
use crate::report::history;
use crate::report::input::{ActionOutcome, Outcome, RunReport};
use crate::report::measure;
use crate::report::phrase::{self, Label};
use crate::report::text::say;
use crate::report::text::screen::{Line, Screen, Tone};

pub(super) fn render(report: &RunReport, options: &Options) -> String {
    let mut screen = Screen::new(options);
    if !options.quiet && !report.actions.is_empty() {
        let title = history::run_title(report);
        screen.line(0, 4, say(Line::new(), &title, Tone::Bold));
        draw_actions(&mut screen, report);
        screen.blank();
    }
    let tone = if report.is_complete() { Tone::Good } else { Tone::Bad };
    screen.line(0, 4, Line::new().tone(tone, history::run_verdict(report)));
    if !options.quiet {
        for (index, remark) in history::run_remarks(report).iter().enumerate() {
            let tone = if index == 0 && !report.is_complete() { Tone::Bold } else { Tone::Plain };
            screen.line(0, 4, say(Line::new(), remark, tone));
        }
    }
    screen.finish()
}

const fn tone_of(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Done => Tone::Good,
        Outcome::Skipped => Tone::Dim,
        Outcome::Cancelled => Tone::Warn,
        Outcome::Failed | Outcome::InDoubt => Tone::Bad,
    }
}

fn draw_actions(screen: &mut Screen, report: &RunReport) {
    let label = |action: &ActionOutcome| Label::anywhere(&action.address, action.on.as_ref());
    let plain = |action: &ActionOutcome| Line::new().text(label(action).to_string()).width(screen.ascii);
    let verb = report.actions.iter().map(|action| action.op.as_str().len()).max().unwrap_or(0);
    let sign = report.actions.iter().map(|action| measure::width(phrase::outcome_symbol(action.outcome, screen.ascii)));
    let sign = sign.max().unwrap_or(1);
    // Room for `cancelled after 3 min 4 s` at the right.
    let most = screen.width.saturating_sub(sign + verb + 34).max(20);
    let name = report.actions.iter().map(plain).filter(|width| *width <= most).max().unwrap_or(0);
    for action in &report.actions {
        let tone = tone_of(action.outcome);
        let line = Line::new().tone(tone, phrase::outcome_symbol(action.outcome, screen.ascii));
        let line = line.column(sign + 1, 1, screen.ascii).text(action.op.as_str());
        let line = line.column(sign + 1 + verb + 1, 1, screen.ascii);
        let line = say(line, &label(action), Tone::Plain).column(sign + verb + name + 4, 2, screen.ascii);
        screen.line(2, 6, line.tone(tone, phrase::outcome(action.outcome, action.elapsed)));
        if let Some(steps) = history::steps_done(action) {
            screen.line(6, 8, Line::new().tone(Tone::Dim, steps));
        }
        if let Some(error) = &action.error {
            for line in crate::report::escape::lines(error) {
                screen.line(6, 8, Line::new().tone(Tone::Bad, line));
            }
        }
    }
}
