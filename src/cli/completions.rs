//! `chronoform completions`: a completion script for a shell.

use crate::cli::args::CompletionsArgs;
use crate::cli::context::Context;
use crate::cli::{command, out};
use crate::diag::{Exit, Failure};

/// Prints the script.
pub fn run(args: &CompletionsArgs, _context: &mut Context) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "chronoform", &mut script);
    out::print(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
