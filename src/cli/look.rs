//! From the command line to a plan, as `plan`, `apply` and `drift` share it: policies, ledger,
//! session, and then the pipeline.

use crate::cli::args::Paths;
use crate::cli::context::{Connecting, Context};
use crate::cli::pipeline::{self, Aim, Made};
use crate::cli::record;
use crate::diag::Failure;
use crate::load::Policies;
use crate::pg::Session;
use crate::plan::Purpose;

/// Plans of `plan`, `apply` and `drift`.
const APPLY: Aim<'static> = Aim { purpose: &Purpose::Apply, forced: None };

/// A plan, and the session that it was made on.
pub struct Looked {
    /// The plan, with the server.
    pub made: Made,
    /// The session, still open.
    pub session: Session,
    /// The policies that it was made from.
    pub policies: Policies,
}

/// Reads the policies, connects, and compares.
///
/// # Errors
/// What makes any plan impossible. What is wrong with single resources is left in the context.
pub fn look(paths: &Paths, context: &mut Context) -> Result<Looked, Failure> {
    look_for(&APPLY, paths, context)
}

/// The same for any purpose.
///
/// # Errors
/// As [`look`].
pub fn look_for(aim: &Aim<'_>, paths: &Paths, context: &mut Context) -> Result<Looked, Failure> {
    let connecting = context.begin_connecting();
    let policies = context.policies(paths)?;
    look_with(aim, policies, connecting, paths, context)
}

/// The same without guardrails: whether the policies are as they should be is for `validate` and
/// `plan` to say, and what differs from them is to be told in any case.
///
/// # Errors
/// As [`look`].
pub fn look_unguarded(paths: &Paths, context: &mut Context) -> Result<Looked, Failure> {
    let connecting = context.begin_connecting();
    let mut policies = context.policies(paths)?;
    policies.guardrails.clear();
    look_with(&APPLY, policies, connecting, paths, context)
}

fn look_with(
    aim: &Aim<'_>,
    policies: Policies,
    connecting: Connecting,
    paths: &Paths,
    context: &mut Context,
) -> Result<Looked, Failure> {
    let ledger = context.ledger_path()?;
    let mut session = connecting.wait()?;
    let admission = context.admission();
    let mut remember = |server: &_| record::remember(&ledger, server, &admission);
    let whole = paths.paths.is_empty();
    let mut made = pipeline::make_for(aim, &policies, &mut session, &mut remember, whole, &mut context.diagnostics)?;
    made.plan.target.name = context.named_target();
    Ok(Looked { made, session, policies })
}
