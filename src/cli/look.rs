//! From the command line to a plan, as `plan`, `apply` and `drift` share it: policies, ledger,
//! session, and then the pipeline.

use crate::cli::args::Paths;
use crate::cli::context::{Connecting, Context};
use crate::cli::pipeline::{self, Aim, Made};
use crate::diag::Failure;
use crate::load::Policies;
use crate::pg::Session;

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
    look_for(&Aim::APPLY, paths, context)
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
    look_with(&Aim::APPLY, policies, connecting, paths, context)
}

fn look_with(
    aim: &Aim<'_>,
    policies: Policies,
    connecting: Connecting,
    paths: &Paths,
    context: &mut Context,
) -> Result<Looked, Failure> {
    let (mut session, opened) = connecting.wait()?;
    let whole = paths.paths.is_empty();
    let twins = context.same_place()?;
    context.diagnostics.extend(twins);
    let mut made = pipeline::make(aim, &policies, &mut session, opened, whole, &mut context.diagnostics)?;
    made.plan.target.name = context.named_target();
    Ok(Looked { made, session, policies })
}
