//! `chronoform apply`: the plan, approved and carried out.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::apply::{self, Interrupt};
use crate::cli::args::{ApplyArgs, Format};
use crate::cli::context::Context;
use crate::cli::progress::Progress;
use crate::cli::record::{self, Recorder};
use crate::cli::{out, pipeline, signals};
use crate::core::Server;
use crate::diag::{Diagnostic, Exit, Failure, code, has_errors};
use crate::pg::Session;
use crate::plan::Plan;
use crate::{report, snapshot};

/// Makes or reads the plan, has it approved, and carries it out.
pub fn run(args: &ApplyArgs, context: &mut Context) -> Result<Exit, Failure> {
    let ledger = context.ledger_path()?;
    let (plan, mut session, server) = match &args.plan {
        Some(path) => read(path, context)?,
        None => make(args, &ledger, context)?,
    };
    if matches!(context.global.format, Format::Text | Format::Markdown) {
        out::print(&report::plan(&plan, &context.report_options()));
    }
    if has_errors(&context.diagnostics) {
        return Err(Failure(std::mem::take(&mut context.diagnostics)));
    }
    apply::permit(&plan, &args.allow)?;
    let started = Instant::now();
    let watch = (!server.single_session).then(|| session.endpoint().clone());
    let progress = Progress::new(plan.actions.len(), context.global.quiet, watch);
    let new = context.global.allow_new_database;
    if args.plan.is_none() && record::is_settled(&ledger, &plan, &server, new)? {
        return Ok(done_already(&plan, context));
    }
    if !plan.is_empty() {
        approve(&plan, args)?;
    }

    let patience = Duration::from_secs(args.lock_timeout);
    let mut waiting = |holder: &str| {
        out::eprint(&format!("waiting for the database's lock, held by {}\n", report::clean(holder)));
    };
    let locked = apply::lock(&mut session, server.single_session, patience, &mut waiting)?;
    let mut ready = apply::gate(locked, &plan)?;
    let mut recorder = Recorder::begin(&ledger, &plan, &server, new, progress)?;
    let interrupt = Interrupt::default();
    let listening = signals::listen(&interrupt)?;
    let patience = Duration::from_secs(args.patience);
    let mut done = apply::run(&mut ready, &plan, &mut recorder, &interrupt, patience);
    drop(listening);

    // A connection that broke has nothing more to show; the next run looks.
    let verified = if record::is_in_doubt(&done) {
        Ok(apply::Verified::default())
    } else {
        apply::verify(&mut ready, &plan, &done)
    };
    let verified = verified.unwrap_or_else(|failure| apply::Verified { differing: failure.0, ..Default::default() });
    if done.failure.is_none() && has_errors(&verified.differing) {
        done.failure = Some(Failure(verified.differing.clone()));
    }
    let ended = recorder.finish(&done, &verified);
    let summary = record::summary(&plan, &done, &recorder, started.elapsed(), interrupt.is_requested());
    if !plan.is_empty() || context.global.format == Format::Json {
        out::print(&report::run_summary(&summary, &context.report_options()));
    }
    match (done.failure, ended) {
        (Some(failure), Err(unrecorded)) => Err(Failure([failure.0, unrecorded.0].concat())),
        (Some(failure), Ok(())) | (None, Err(failure)) => Err(failure),
        (None, Ok(())) => Ok(Exit::Done),
    }
}

/// Nothing to do, and nothing to write down.
fn done_already(plan: &Plan, context: &Context) -> Exit {
    if context.global.format == Format::Json {
        let nothing = report::RunReport { database: plan.target.database.clone(), ..report::RunReport::default() };
        out::print(&report::run_summary(&nothing, &context.report_options()));
    }
    Exit::Done
}

fn make(args: &ApplyArgs, ledger: &Path, context: &mut Context) -> Result<(Plan, Session, Server), Failure> {
    let policies = context.policies(&args.paths)?;
    let mut session = context.connect()?;
    let new = context.global.allow_new_database;
    let mut remember = |server: &_| record::remember(ledger, server, new);
    let made =
        pipeline::make(&policies, &mut session, &mut remember, args.paths.paths.is_empty(), &mut context.diagnostics)?;
    Ok((made.plan, session, made.server))
}

fn read(path: &Path, context: &mut Context) -> Result<(Plan, Session, Server), Failure> {
    let unreadable = |why: String| {
        let message = format!("{} cannot be applied: {why}", path.display());
        let help = "make it again with `chronoform plan --out FILE`";
        Failure::from(Diagnostic::error(&code::PLAN_UNREADABLE, message).help(help))
    };
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    let plan = Plan::from_json(&text).map_err(|error| unreadable(error.to_string()))?;
    let mut session = context.connect()?;
    let server = snapshot::open(&mut session)?;
    snapshot::finish(&mut session)?;
    Ok((plan, session, server))
}

/// Asks for consent, unless it was given on the command line.
fn approve(plan: &Plan, args: &ApplyArgs) -> Result<(), Failure> {
    if args.auto_approve {
        return Ok(());
    }
    let target = &plan.target;
    let question = format!(
        "Apply these {} changes to `{}` on {}:{}?",
        plan.summary.total(),
        report::clean(&target.database),
        report::clean(&target.host),
        target.port
    );
    let (message, help) = match out::confirm(&question) {
        Some(true) => return Ok(()),
        Some(false) => ("the plan was not approved; nothing was changed", "run apply again and answer `yes`"),
        None => ("nobody can be asked: this is no terminal", "give --auto-approve once the plan has been reviewed"),
    };
    Err(Diagnostic::error(&code::NOT_CONFIRMED, message).help(help).into())
}
