//! `chronoform run`: the work that is due by the policies.

use std::time::Instant;

use crate::apply::{self as gate, Interrupt};
use crate::cli::apply::{self, Errand, Prepared};
use crate::cli::args::{Format, RunArgs};
use crate::cli::context::Context;
use crate::cli::look::look_for;
use crate::cli::pipeline::Aim;
use crate::cli::progress::Progress;
use crate::cli::{out, record, signals};
use crate::core::Operation;
use crate::diag::{Diagnostic, Exit, Failure, Severity, has_errors};
use crate::guard::Standing;
use crate::ledger::Ledger;
use crate::ops::archiver::Load;
use crate::ops::{self, Forced, Limits};
use crate::report;

/// Shows what is due, and does it: after the same questions, under the same lock and through the same
/// gate as `apply`.
pub fn run(args: &RunArgs, context: &mut Context) -> Result<Exit, Failure> {
    forced(args, None, context)
}

/// The same for work that is asked for and need not be due.
pub fn forced(args: &RunArgs, forced: Option<Forced>, context: &mut Context) -> Result<Exit, Failure> {
    let mut lost = Vec::new();
    let done = work_off(args, forced, context, &mut lost);
    match done {
        done if lost.is_empty() => done,
        Ok(_) => Err(Failure(lost)),
        Err(failure) => Err(Failure([failure.0, lost].concat())),
    }
}

/// Does it. `lost` takes what is wrong whether or not anything is due, and keeps nobody from doing what is: that may
/// mend it.
fn work_off(
    args: &RunArgs,
    forced: Option<Forced>,
    context: &mut Context,
    lost: &mut Vec<Diagnostic>,
) -> Result<Exit, Failure> {
    let started = Instant::now();
    let (ledger, admission) = (context.ledger_path()?, context.admission());
    let purpose = ops::purpose(&args.operations);
    let known = Ledger::open_read(&ledger)?.archived()?;
    let aim = Aim { purpose: &purpose, forced: forced.as_ref(), allowed: &args.allow, archived: &known };
    let mut looked = look_for(&aim, &args.paths(), context)?;
    context.diagnostics.extend(ops::archiver::refusals(&mut looked.session, &looked.made.plan)?);
    if looked.made.plan.operations.contains(&Operation::Backup) {
        let (session, desired) = (&mut looked.session, &looked.policies.desired);
        let told = ops::backup::of_policies(session, &looked.made.server, desired)?;
        lost.extend(told.lost);
        context.diagnostics.extend(told.ahead);
    }
    if looked.made.plan.operations.contains(&Operation::Archive) {
        let (made, desired) = (&looked.made, &looked.policies.desired);
        context.diagnostics.extend(ops::archiver::lost(&made.plan, desired, &made.server, &known)?);
    }
    let stores = ops::archiver::stores(&looked.policies.desired);
    let (plan, server, session) = (looked.made.plan, looked.made.server, looked.session);
    let mends = ops::backup::is_mended_by(&plan);
    if args.dry_run || matches!(context.global.format, Format::Text | Format::Markdown) {
        out::print(&report::plan(&plan, &context.report_options()));
    }
    if has_errors(&context.diagnostics) {
        return Err(Failure(std::mem::take(&mut context.diagnostics)));
    }
    if args.dry_run {
        return Ok(Exit::Done);
    }
    gate::permit(&plan, &args.allow)?;
    let settled = record::is_settled(&ledger, &plan, &server, &admission)?;
    let mut ready = Prepared { plan, session, server, ledger, admission, standing: Standing::default() };
    if settled {
        if context.global.format == Format::Json {
            out::print(&report::run_summary(&ready.nothing_done(), &context.report_options()));
        }
        return Ok(Exit::Done);
    }
    if !ready.plan.is_empty() {
        apply::approve(&ready.plan, args.auto_approve)?;
    }
    let watch = (!ready.server.single_session).then(|| ready.session.endpoint().clone());
    let progress = Progress::new(ready.plan.actions.len(), context.global.quiet, watch);
    let (lock_timeout, patience) = (args.lock_timeout, args.patience);
    let load = Load { jobs: args.jobs, rate: args.rate, patience };
    let limits = Some(Limits { max_runtime: args.max_runtime, load });
    let errand = Errand { lock_timeout, patience, limits, forced, stores, started };
    let interrupt = Interrupt::default();
    let done = apply::carry_out(&mut ready, &errand, progress, &interrupt, || signals::listen(&interrupt))?;
    out::print(&report::run_summary(&done.report, &context.report_options()));
    context.diagnostics.extend(done.notes);
    if let Some(failure) = done.failure {
        return Err(failure);
    }
    if mends {
        // It is told all the same: until the backup that was just made, what was lost is lost.
        let told = lost.drain(..).map(|lost| Diagnostic { severity: Severity::Warning, help: None, ..lost });
        context.diagnostics.extend(told);
    }
    Ok(Exit::Done)
}
