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
use crate::diag::{Diagnostic, Exit, Failure, Severity, code, has_errors};
use crate::guard::Standing;
use crate::ledger::Admission;
use crate::ops::archiver::Store;
use crate::ops::{Crew, Forced, Limits, Outsider};
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
        approve(&ready.plan, args.auto_approve)?;
    }
    let interrupt = Interrupt::default();
    let done = carry_out(&mut ready, &errand(args, started), progress, &interrupt, || signals::listen(&interrupt))?;
    if !ready.plan.is_empty() || context.global.format == Format::Json {
        out::print(&report::run_summary(&done.report, &context.report_options()));
    }
    done.failure.map_or(Ok(Exit::Done), Err)
}

/// A plan, with the session that it will be carried out on.
pub struct Prepared {
    /// The plan.
    pub plan: Plan,
    /// The session.
    pub session: Session,
    /// The server.
    pub server: Server,
    /// The ledger's file.
    pub ledger: PathBuf,
    /// Which databases the ledger may belong to.
    pub admission: Admission,
    /// What the policies say now, where the plan is an earlier one.
    pub standing: Standing,
}

impl Prepared {
    /// What is reported where there is nothing to do, and nothing to write down.
    pub fn nothing_done(&self) -> report::RunReport {
        let plan = &self.plan;
        let (database, target) = (plan.target.database.clone(), plan.target.name.clone());
        report::RunReport { database, target, ..report::RunReport::default() }
    }
}

/// Makes the plan, or reads it from a file.
fn prepare(args: &ApplyArgs, file: Option<&Path>, context: &mut Context) -> Result<Prepared, Failure> {
    let (ledger, admission) = (context.ledger_path()?, context.admission());
    if let Some(path) = file {
        let mut plan = read(path)?;
        plan.target.name = context.named_target();
        let standing = context.standing(&plan)?;
        let mut session = context.connect()?;
        let server = snapshot::open(&mut session)?;
        snapshot::finish(&mut session)?;
        return Ok(Prepared { plan, session, server, ledger, admission, standing });
    }
    let looked = look(&args.paths, context)?;
    let (plan, session, server) = (looked.made.plan, looked.session, looked.made.server);
    Ok(Prepared { plan, session, server, ledger, admission, standing: Standing::default() })
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
pub struct Done {
    /// What was done.
    pub report: report::RunReport,
    /// What made it stop.
    pub failure: Option<Failure>,
    /// What is to be known of what was done.
    pub notes: Vec<Diagnostic>,
}

/// How a plan is carried out.
pub struct Errand {
    /// How long to wait for the database's lock.
    pub lock_timeout: Duration,
    /// How long each action waits for the locks of others.
    pub patience: Duration,
    /// How much may be done, for operations.
    pub limits: Option<Limits>,
    /// Work that is done although it is not due.
    pub forced: Option<Forced>,
    /// The archives of the policies.
    pub stores: Vec<Store>,
    /// When the command began.
    pub started: Instant,
}

/// As the command line says.
fn errand(args: &ApplyArgs, started: Instant) -> Errand {
    let (lock_timeout, patience) = (args.lock_timeout, args.patience);
    Errand { lock_timeout, patience, limits: None, forced: None, stores: Vec::new(), started }
}

/// Lock, gate, run, verify: everything after the approval. Signals are heard, by `listen`, from the
/// first statement on.
pub fn carry_out<L>(
    ready: &mut Prepared,
    errand: &Errand,
    progress: Progress,
    interrupt: &Interrupt,
    listen: impl FnOnce() -> Result<L, Failure>,
) -> Result<Done, Failure> {
    let Prepared { plan, session, server, ledger, admission, standing } = ready;
    let mut waiting = |holder: &str| {
        out::eprint(&format!("waiting for the database's lock, held by {}\n", report::clean(holder)));
    };
    let locked = apply::lock(session, server.single_session, errand.lock_timeout, &mut waiting)?;
    let mut outside = Outsider::of(plan, errand.forced.as_ref());
    let mut ready = apply::gate(locked, plan, standing, &mut outside)?;
    let mut recorder = Recorder::begin(ledger, plan, server, admission, &errand.stores, progress)?;
    let listening = listen()?;
    let limits = errand.limits.unwrap_or_default();
    let mut tasks = Crew::new(server, limits);
    limits.begin(interrupt);
    let mut done = apply::run(&mut ready, plan, &mut recorder, interrupt, errand.patience, &mut tasks);
    drop(listening);

    // A connection that broke has nothing more to show; the next run looks.
    let verified = if record::is_in_doubt(&done) {
        Ok(apply::Verified::default())
    } else {
        apply::verify(&mut ready, plan, &done, &mut Outsider::of(plan, None))
    };
    let unseen = |failure| apply::Verified { differing: not_looked_at(plan, failure), ..Default::default() };
    let verified = verified.unwrap_or_else(unseen);
    if done.failure.is_none() && has_errors(&verified.differing) {
        done.failure = Some(Failure(verified.differing.clone()));
    }
    let notes = verified.differing.iter().filter(|said| said.severity == Severity::Note).cloned().collect();
    let ended = recorder.finish(&done, &verified);
    let report = record::summary(plan, &done, &recorder, errand.started.elapsed(), interrupt.is_requested());
    let failure = match (done.failure, ended) {
        (Some(failure), Err(unrecorded)) => Some(with_news(failure, unrecorded)),
        (Some(failure), Ok(())) | (None, Err(failure)) => Some(failure),
        (None, Ok(())) => None,
    };
    Ok(Done { report, failure, notes })
}

/// A failure with what another has to say beside it: what a step could not be recorded for, its end cannot either.
fn with_news(failure: Failure, other: Failure) -> Failure {
    let said: Vec<&'static code::Code> = failure.0.iter().map(|said| said.code).collect();
    let news = other.0.into_iter().filter(|new| !said.iter().any(|known| std::ptr::eq(*known, new.code)));
    Failure(failure.0.into_iter().chain(news).collect())
}

/// What is said where the second look has failed: whatever its own code says, it is not that nothing was
/// changed.
fn not_looked_at(plan: &Plan, failure: Failure) -> Vec<Diagnostic> {
    let mut said = failure.0;
    if !plan.is_empty() {
        let message = "what was done is recorded, and could not be looked at again";
        let help = "`chronoform plan` looks: where it has nothing to do, all is well";
        said.push(Diagnostic::error(&code::STOPPED, message).help(help));
    }
    said
}

fn read(path: &Path) -> Result<Plan, Failure> {
    let unreadable = |why: String| {
        let message = format!("{} cannot be applied: {why}", path.display());
        let help = "make it again with `chronoform plan --out FILE`";
        Failure::from(Diagnostic::error(&code::PLAN_UNREADABLE, message).help(help))
    };
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    Plan::from_json(&text).map_err(|error| unreadable(error.to_string()))
}

/// Asks for consent, unless it was given on the command line.
pub fn approve(plan: &Plan, auto_approve: bool) -> Result<(), Failure> {
    let target = &plan.target;
    ask(auto_approve, || {
        format!(
            "{} these {} changes to `{}` on {}:{}?",
            if plan.operations.is_empty() { "Apply" } else { "Make" },
            plan.summary.total(),
            report::clean(&target.database),
            report::clean(&target.host),
            target.port
        )
    })
}

/// Asks, unless the answer was given on the command line.
///
/// # Errors
/// When the answer is no, or nobody can be asked.
pub fn ask(auto_approve: bool, question: impl FnOnce() -> String) -> Result<(), Failure> {
    if auto_approve {
        return Ok(());
    }
    let (message, help) = match out::confirm(&question()) {
        Some(true) => return Ok(()),
        Some(false) => ("the plan was not approved; nothing was changed", "do the same again and answer `yes`"),
        None => ("nobody can be asked: this is no terminal", "give --auto-approve once the plan has been reviewed"),
    };
    Err(Diagnostic::error(&code::NOT_CONFIRMED, message).help(help).into())
}
