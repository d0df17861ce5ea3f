//! `chronoform drift`: live against last applied against desired.

use crate::cli::args::DriftArgs;
use crate::cli::context::Context;
use crate::cli::{out, pipeline, record};
use crate::diag::{Exit, Failure, has_errors};
use crate::report::{self, DriftReport};

/// Compares and reports; ends with differences where there are any.
pub fn run(args: &DriftArgs, context: &mut Context) -> Result<Exit, Failure> {
    let mut policies = context.policies(&args.paths)?;
    // Whether the policies are as they should be is for `validate` and `plan` to say; what differs
    // from them is to be told in any case.
    policies.guardrails.clear();
    let ledger = context.ledger_path()?;
    let mut session = context.connect()?;
    let new = context.global.allow_new_database;
    let mut remember = |server: &_| record::remember(&ledger, server, new);
    let made =
        pipeline::make(&policies, &mut session, &mut remember, args.paths.paths.is_empty(), &mut context.diagnostics)?;

    let plan = &made.plan;
    let report = DriftReport {
        tool_version: &plan.tool_version,
        target: &plan.target,
        drift: &plan.drift,
        diagnostics: &plan.diagnostics,
    };
    out::print(&report::drift(&report, &context.report_options()));
    let differs = plan.drift.iter().any(|resource| resource.status.is_difference());
    // That a difference cannot be closed makes it no less of one.
    if has_errors(&context.diagnostics) && !(made.compared && differs) {
        return Err(Failure(std::mem::take(&mut context.diagnostics)));
    }
    Ok(if differs { Exit::Differences } else { Exit::Done })
}
