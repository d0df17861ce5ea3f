//! `chronoform run`: the work that is due by the policies.

use std::time::{Duration, Instant};

use crate::apply as gate;
use crate::cli::apply::{self, Errand};
use crate::cli::args::{Format, RunArgs};
use crate::cli::context::Context;
use crate::cli::{out, pipeline, record};
use crate::diag::{Exit, Failure, has_errors};
use crate::ops::{self, Limits};
use crate::report;

/// Shows what is due, and does it: after the same questions, under the same lock and through the same
/// gate as `apply`.
pub fn run(args: &RunArgs, context: &mut Context) -> Result<Exit, Failure> {
    let started = Instant::now();
    let ledger = context.ledger_path()?;
    let policies = context.policies(&args.paths())?;
    let mut session = context.connect()?;
    let new = context.global.allow_new_database;
    let mut remember = |server: &_| record::remember(&ledger, server, new);
    let purpose = ops::purpose(&args.operations);
    let whole = args.policies.is_empty();
    let made = pipeline::make_for(&purpose, &policies, &mut session, &mut remember, whole, &mut context.diagnostics)?;
    let (plan, server) = (made.plan, made.server);
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
    if record::is_settled(&ledger, &plan, &server, new)? {
        return Ok(apply::done_already(&plan, context));
    }
    if !plan.is_empty() {
        apply::approve(&plan, args.auto_approve)?;
    }
    let limits = Limits { max_runtime: args.max_runtime };
    let (lock_timeout, patience) = (Duration::from_secs(args.lock_timeout), Duration::from_secs(args.patience));
    let errand = Errand { ledger: &ledger, lock_timeout, patience, limits: Some(limits), started };
    apply::carry_out(&plan, &mut session, &server, &errand, context)
}
