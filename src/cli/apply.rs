//! `chronoform apply`: the plan, approved and carried out.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::apply::{self, Interrupt};
use crate::cli::args::{ApplyArgs, Format};
use crate::cli::context::Context;
use crate::cli::look::look;
use crate::cli::progress::Progress;
use crate::cli::record::{self, Recorder};
use crate::cli::{out, signals};
use crate::core::Server;
use crate::diag::{Diagnostic, Exit, Failure, code, has_errors};
use crate::ledger::Admission;
use crate::pg::Session;
use crate::plan::Plan;
use crate::{report, snapshot};

#[path = "apply_several.rs"]
mod several;

/// Makes or reads the plan, has it approved, and carries it out.
pub fn run(args: &ApplyArgs, context: &mut Context) -> Result<Exit, Failure> {
    if let Some(names) = context.several_targets()? {
        return several::run(args, &names, context);
    }
    let mut ready = prepare(args, args.plan.as_deref(), context)?;
    if matches!(context.global.format, Format::Text | Format::Markdown) {
        out::print(&report::plan(&ready.plan, &context.report_options()));
    }
    permit(&ready, args, context)?;
    let started = Instant::now();
    let watch = (!ready.server.single_session).then(|| ready.session.endpoint().clone());
    let progress = Progress::new(ready.plan.actions.len(), context.global.quiet, watch);
    if is_done_already(&ready, args)? {
        if context.global.format == Format::Json {
            out::print(&report::run_summary(&ready.nothing_done(), &context.report_options()));
        }
        return Ok(Exit::Done);
    }
    if !ready.plan.is_empty() {
        approve(&ready.plan, args)?;
    }
    let interrupt = Interrupt::default();
    let done = carry_out(&mut ready, args, progress, &interrupt, started, || signals::listen(&interrupt))?;
    if !ready.plan.is_empty() || context.global.format == Format::Json {
        out::print(&report::run_summary(&done.report, &context.report_options()));
    }
    done.failure.map_or(Ok(Exit::Done), Err)
}

/// A plan, with the session that it will be carried out on.
struct Prepared {
    plan: Plan,
    session: Session,
    server: Server,
    ledger: PathBuf,
    admission: Admission,
}

impl Prepared {
    /// What is reported where there is nothing to do, and nothing to write down.
    fn nothing_done(&self) -> report::RunReport {
        report::RunReport { database: self.plan.target.database.clone(), ..report::RunReport::default() }
    }
}

/// Makes the plan, or reads it from a file.
fn prepare(args: &ApplyArgs, file: Option<&Path>, context: &mut Context) -> Result<Prepared, Failure> {
    let (ledger, admission) = (context.ledger_path()?, context.admission());
    let (plan, session, server) = match file {
        Some(path) => read(path, context)?,
        None => {
            let looked = look(&args.paths, context)?;
            (looked.made.plan, looked.session, looked.made.server)
        }
    };
    Ok(Prepared { plan, session, server, ledger, admission })
}

/// Whether the plan may be applied: it has no errors, and every hazard is allowed.
fn permit(ready: &Prepared, args: &ApplyArgs, context: &mut Context) -> Result<(), Failure> {
    if has_errors(&context.diagnostics) {
        return Err(Failure(std::mem::take(&mut context.diagnostics)));
    }
    apply::permit(&ready.plan, &args.allow)
}

/// Whether there is nothing to do, and nothing to write down.
fn is_done_already(ready: &Prepared, args: &ApplyArgs) -> Result<bool, Failure> {
    let Prepared { plan, server, ledger, admission, .. } = ready;
    Ok(args.plan.is_none() && record::is_settled(ledger, plan, server, admission)?)
}

/// What was done, and what made it stop.
struct Done {
    report: report::RunReport,
    failure: Option<Failure>,
}

/// Lock, gate, run, verify: everything after the approval. Signals are heard, by `listen`, from the
/// first statement on.
fn carry_out<L>(
    ready: &mut Prepared,
    args: &ApplyArgs,
    progress: Progress,
    interrupt: &Interrupt,
    started: Instant,
    listen: impl FnOnce() -> Result<L, Failure>,
) -> Result<Done, Failure> {
    let Prepared { plan, session, server, ledger, admission } = ready;
    let patience = Duration::from_secs(args.lock_timeout);
    let mut waiting = |holder: &str| {
        out::eprint(&format!("waiting for the database's lock, held by {}\n", report::clean(holder)));
    };
    let locked = apply::lock(session, server.single_session, patience, &mut waiting)?;
    let mut ready = apply::gate(locked, plan)?;
    let mut recorder = Recorder::begin(ledger, plan, server, admission, progress)?;
    let listening = listen()?;
    let patience = Duration::from_secs(args.patience);
    let mut done = apply::run(&mut ready, plan, &mut recorder, interrupt, patience);
    drop(listening);

    // A connection that broke has nothing more to show; the next run looks.
    let verified = if record::is_in_doubt(&done) {
        Ok(apply::Verified::default())
    } else {
        apply::verify(&mut ready, plan, &done)
    };
    let verified = verified.unwrap_or_else(|failure| apply::Verified { differing: failure.0, ..Default::default() });
    if done.failure.is_none() && has_errors(&verified.differing) {
        done.failure = Some(Failure(verified.differing.clone()));
    }
    let ended = recorder.finish(&done, &verified);
    let report = record::summary(plan, &done, &recorder, started.elapsed(), interrupt.is_requested());
    let failure = match (done.failure, ended) {
        (Some(failure), Err(unrecorded)) => Some(Failure([failure.0, unrecorded.0].concat())),
        (Some(failure), Ok(())) | (None, Err(failure)) => Some(failure),
        (None, Ok(())) => None,
    };
    Ok(Done { report, failure })
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
    let target = &plan.target;
    ask(args, || {
        format!(
            "Apply these {} changes to `{}` on {}:{}?",
            plan.summary.total(),
            report::clean(&target.database),
            report::clean(&target.host),
            target.port
        )
    })
}

fn ask(args: &ApplyArgs, question: impl FnOnce() -> String) -> Result<(), Failure> {
    if args.auto_approve {
        return Ok(());
    }
    let (message, help) = match out::confirm(&question()) {
        Some(true) => return Ok(()),
        Some(false) => ("the plan was not approved; nothing was changed", "run apply again and answer `yes`"),
        None => ("nobody can be asked: this is no terminal", "give --auto-approve once the plan has been reviewed"),
    };
    Err(Diagnostic::error(&code::NOT_CONFIRMED, message).help(help).into())
}
