//! `apply` on several targets: all are planned first, what they need is approved once, and then one
//! after another, or some at once, is carried out.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::{Done, Prepared, ask, carry_out, errand, is_done_already, permit, prepare};
use crate::apply::Interrupt;
use crate::cli::args::{ApplyArgs, Format};
use crate::cli::context::Context;
use crate::cli::fleet::{self, One};
use crate::cli::progress::Progress;
use crate::cli::{out, plan, signals};
use crate::diag::{Exit, Failure, Severity};
use crate::plan::{Message, Plan};
use crate::report::{self, Ending, Fleet, Member, RunReport};

/// Plans every target, has the whole approved, and carries it out.
pub(super) fn run(args: &ApplyArgs, names: &[String], context: &mut Context) -> Result<Exit, Failure> {
    let mut found = fleet::look(names, None, context, |context| find(args, context))?;
    refuse_same_database(&mut found);
    if matches!(context.global.format, Format::Text | Format::Markdown) {
        let members = found.iter().map(planned).collect();
        let exit = fleet::worst(found.iter().map(|one| one.exit(|_| Exit::Done)));
        out::print(&report::plans(&Fleet { members, exit: exit as u8 }, &context.report_options()));
        out::print("\n");
    }
    // What one target cannot have, the others get only where that was asked for.
    let goes_on = args.keep_going || found.iter().all(|one| refusal(one).is_none());
    let open: Vec<(&str, usize)> = found.iter().filter_map(to_do).collect();
    if goes_on && !open.is_empty() {
        ask(args.auto_approve, || question(&open))?;
    }
    let mut done = if goes_on { carry_out_all(found, args, context)? } else { found.into_iter().map(left).collect() };
    let exit = match fleet::worst(done.iter().map(|one| one.exit(Ran::exit))) {
        // Interrupted between two targets.
        Exit::Done if done.iter().any(|one| matches!(&one.result, Ok(Ran { state: State::NotBegun, .. }))) => {
            Exit::Partial
        }
        exit => exit,
    };
    let report = Fleet { members: done.iter().map(member).collect(), exit: exit as u8 };
    out::print(&report::runs(&report, &context.report_options()));
    fleet::say(&mut done);
    if !goes_on {
        out::eprint("nothing was changed on any target; `--keep-going` applies to those that can be\n");
    }
    Ok(exit)
}

/// A target that was planned.
struct Found {
    ready: Prepared,
    /// Why it must not be applied.
    refused: Option<Failure>,
    /// Whether there is nothing to do, and nothing to write down.
    settled: bool,
}

fn find(args: &ApplyArgs, context: &mut Context) -> Result<Found, Failure> {
    let file = args.plan.as_deref().map(|folder| plan::file_of(folder, context.target_name()));
    let ready = prepare(args, file.as_deref(), context)?;
    let settled = is_done_already(&ready, args)?;
    let refused = permit(&ready, args, context).err();
    Ok(Found { ready, refused, settled })
}

/// Two targets that are one database are not both applied to: neither is.
fn refuse_same_database(found: &mut [One<Found>]) {
    let targets =
        found.iter().filter_map(|one| Some((one.name.as_str(), &one.result.as_ref().ok()?.ready.plan.target)));
    let said = fleet::same_database(targets, Severity::Error);
    for one in found {
        if let (Some(said), Ok(found)) = (said.get(&one.name), &mut one.result) {
            let refused = found.refused.get_or_insert_with(|| Failure(Vec::new()));
            refused.0.push(said.clone());
        }
    }
}

fn refusal(one: &One<Found>) -> Option<&Failure> {
    match &one.result {
        Ok(found) => found.refused.as_ref(),
        Err(failure) => Some(failure),
    }
}

/// A target that will be changed, with how many changes.
fn to_do(one: &One<Found>) -> Option<(&str, usize)> {
    let found = one.result.as_ref().ok().filter(|found| found.refused.is_none())?;
    let changes = found.ready.plan.summary.total();
    (changes > 0).then_some((one.name.as_str(), changes))
}

fn question(open: &[(&str, usize)]) -> String {
    let all: usize = open.iter().map(|(_, changes)| changes).sum();
    let each: Vec<String> = open.iter().map(|(name, changes)| format!("{name} ({changes})")).collect();
    format!("Apply these {all} changes to {} targets: {}?", open.len(), each.join(", "))
}

/// The target's plan, as it is shown before anything is asked.
fn planned(one: &One<Found>) -> Member<&Plan> {
    let mut member = one.member(|found| match (found.ready.plan.is_empty(), found.refused.is_some()) {
        (true, _) => (&found.ready.plan, "no changes", Ending::Well),
        (false, true) => (&found.ready.plan, "refused", Ending::Badly),
        (false, false) => (&found.ready.plan, "changes", Ending::Open),
    });
    if let (Some(_), Some(failure)) = (&member.found, refusal(one)) {
        member.result = fleet::failure_word(failure);
        member.ending = Ending::Badly;
    }
    member
}

/// What became of a target whose plan could be made.
struct Ran {
    report: RunReport,
    state: State,
}

enum State {
    NothingToDo,
    NotBegun,
    Applied,
    /// Refused, failed or interrupted. What is to be said of it is in the target's context.
    Stopped {
        exit: Exit,
        word: String,
        messages: Vec<Message>,
    },
}

impl Ran {
    fn exit(&self) -> Exit {
        match &self.state {
            State::Stopped { exit, .. } => *exit,
            State::NothingToDo | State::NotBegun | State::Applied => Exit::Done,
        }
    }
}

/// Carries out what is ready, so many targets at once. After a failure, what has not begun is left,
/// unless that is to go on.
fn carry_out_all(found: Vec<One<Found>>, args: &ApplyArgs, context: &Context) -> Result<Vec<One<Ran>>, Failure> {
    let interrupt = Interrupt::default();
    let listening = signals::listen(&interrupt)?;
    let failed = AtomicBool::new(false);
    let quiet = context.global.quiet;
    let work = |one: One<Found>| {
        let stops = interrupt.is_requested() || (failed.load(Ordering::SeqCst) && !args.keep_going);
        let ran = if stops { left(one) } else { carry_out_one(one, args, &interrupt, quiet) };
        let well = ran.result.as_ref().is_ok_and(|ran| ran.exit() == Exit::Done);
        failed.fetch_or(!well, Ordering::SeqCst);
        ran
    };
    let done = fleet::spread(found, args.parallel.map_or(1, NonZeroUsize::get), work);
    drop(listening);
    Ok(done)
}

fn carry_out_one(one: One<Found>, args: &ApplyArgs, interrupt: &Interrupt, quiet: bool) -> One<Ran> {
    let One { name, mut context, result } = one;
    let result = result.map(|found| {
        let Found { mut ready, refused, settled } = found;
        let nothing = ready.nothing_done();
        if let Some(failure) = refused {
            return stopped(nothing, failure, &mut context);
        }
        if settled {
            return Ran { report: nothing, state: State::NothingToDo };
        }
        let is_empty = ready.plan.is_empty();
        let progress = Progress::new(ready.plan.actions.len(), quiet, None).of_target(&name);
        match carry_out(&mut ready, &errand(args, Instant::now()), progress, interrupt, || Ok(())) {
            Ok(Done { report, failure: Some(failure), .. }) => stopped(report, failure, &mut context),
            Ok(Done { report, failure: None, .. }) if is_empty => Ran { report, state: State::NothingToDo },
            Ok(Done { report, failure: None, .. }) => Ran { report, state: State::Applied },
            Err(failure) => stopped(nothing, failure, &mut context),
        }
    });
    One { name, context, result }
}

fn stopped(report: RunReport, failure: Failure, context: &mut Context) -> Ran {
    let state = State::Stopped {
        exit: failure.exit(),
        word: fleet::failure_word(&failure),
        messages: failure.0.iter().map(Message::from).collect(),
    };
    context.diagnostics.extend(failure.0);
    Ran { report, state }
}

/// A target that is left as it is, because another one failed.
fn left(one: One<Found>) -> One<Ran> {
    let One { name, mut context, result } = one;
    let result = result.map(|found| {
        let nothing = found.ready.nothing_done();
        match (found.refused, found.ready.plan.is_empty()) {
            (Some(failure), _) => stopped(nothing, failure, &mut context),
            (None, true) => Ran { report: nothing, state: State::NothingToDo },
            (None, false) => Ran { report: nothing, state: State::NotBegun },
        }
    });
    One { name, context, result }
}

/// The target's line at the end.
fn member(one: &One<Ran>) -> Member<RunReport> {
    let mut member = one.member(|ran| match &ran.state {
        State::NothingToDo => (ran.report.clone(), "nothing to do", Ending::Well),
        State::NotBegun => (ran.report.clone(), "not begun", Ending::Open),
        State::Applied => (ran.report.clone(), "applied", Ending::Well),
        State::Stopped { .. } => (ran.report.clone(), "stopped", Ending::Badly),
    });
    if let Ok(Ran { state: State::Stopped { word, messages, .. }, .. }) = &one.result {
        member.result.clone_from(word);
        member.messages.clone_from(messages);
    }
    member
}
