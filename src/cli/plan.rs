//! `chronoform plan`: what would change, why, how risky, with which SQL. Changes nothing.

use std::path::Path;

use crate::cli::args::PlanArgs;
use crate::cli::context::Context;
use crate::cli::{out, pipeline, record};
use crate::diag::{Diagnostic, Exit, Failure, code, has_errors};
use crate::plan::Plan;
use crate::report;

/// Makes the plan, prints it and, where asked, writes it.
pub fn run(args: &PlanArgs, context: &mut Context) -> Result<Exit, Failure> {
    let policies = context.policies(&args.paths)?;
    let ledger = context.ledger_path()?;
    let mut session = context.connect()?;
    let new = context.global.allow_new_database;
    let mut remember = |server: &_| record::remember(&ledger, server, new);
    let made = pipeline::make(&policies, &mut session, &mut remember, &mut context.diagnostics)?;

    out::print(&report::plan(&made.plan, &context.report_options()));
    if let Some(path) = &args.out {
        write(&made.plan, path)?;
    }
    if has_errors(&context.diagnostics) {
        return Err(Failure(std::mem::take(&mut context.diagnostics)));
    }
    let differs = args.detailed_exitcode && !made.plan.is_empty();
    Ok(if differs { Exit::Differences } else { Exit::Done })
}

/// Writes the plan beside its place and moves it there, so that no half of one is ever found.
fn write(plan: &Plan, path: &Path) -> Result<(), Failure> {
    let wrong = |error: String| {
        let message = format!("the plan cannot be written to {}: {error}", path.display());
        Failure::from(Diagnostic::error(&code::FILE_UNREADABLE, message))
    };
    let text = plan.to_json().map_err(|error| wrong(error.to_string()))?;
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}.new", std::process::id()));
    std::fs::write(&aside, text).and_then(|()| std::fs::rename(&aside, path)).map_err(|error| {
        let _ = std::fs::remove_file(&aside);
        wrong(error.to_string())
    })
}
