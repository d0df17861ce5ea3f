//! placeholder until the layout lands
use crate::cli::args::FmtArgs;
use crate::cli::context::Context;
use crate::diag::{Exit, Failure};
pub fn run(_: &FmtArgs, _: &mut Context) -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
