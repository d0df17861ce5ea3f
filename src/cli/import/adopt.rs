//! What was just written, recorded as managed.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::apply;
use crate::cli::args::Paths;
use crate::cli::context::Context;
use crate::cli::import::summary::Summary;
use crate::cli::pipeline::{self, Aim, Opened};
use crate::cli::{out, record};
use crate::diag::{Diagnostic, Failure, code, has_errors};
use crate::pg::Session;
use crate::report;

/// Reads the files as any policies, and records what they describe, under the database's lock. Gives
/// the number of resources that the ledger did not know.
///
/// # Errors
/// When the ledger cannot be written, or the database was changed since the files were written.
pub fn adopt(
    written: &Summary,
    lock_timeout: Duration,
    session: &mut Session,
    context: &mut Context,
) -> Result<usize, Failure> {
    let policies = context.policies(&Paths { paths: written.paths() })?;
    let ledger = context.ledger_path()?;
    let admission = context.admission();
    let mut waiting = |holder: &str| {
        out::eprint(&format!("waiting for the database's lock, held by {}\n", report::clean(holder)));
    };
    let mut locked = apply::lock(session, written.single_session, lock_timeout, &mut waiting)?;
    let opened = Opened::new(locked.session(), |server| record::remember(&ledger, server, &admission))?;
    let mut sink = Vec::new();
    let made = pipeline::make(&Aim::APPLY, &policies, locked.session(), opened, false, &mut sink)?;
    if has_errors(&sink) {
        return Err(Failure(sink));
    }
    // What classes ask for is known and said.
    if !made.plan.is_empty() && written.classes.is_empty() {
        return Err(changed(&made.plan.actions).into());
    }
    let adopted = made.plan.adopt.iter().filter(|adopt| adopt.new).count();
    record::adopt(&ledger, &made.plan, &made.server, &admission)?;
    Ok(adopted)
}

fn changed(actions: &[crate::core::Action]) -> Diagnostic {
    let by_reason: BTreeMap<String, &crate::core::Action> =
        actions.iter().map(|action| (action.address.to_string(), action)).collect();
    let named: Vec<String> = by_reason.into_keys().collect();
    let message =
        format!("the policies were written, and nothing is recorded: a plan would change {}", named.join(", "));
    Diagnostic::error(&code::NOT_CONVERGED, message)
        .why("the database was changed meanwhile, or the ledger has something that the policies do not describe")
        .help("see `chronoform plan` with these files; `apply` records them once that is as you want it")
}
