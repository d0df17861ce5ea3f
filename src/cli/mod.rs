//! The command line: one file a command. The only room that prints or ends the process.

mod args;
mod context;
pub mod demo;
mod out;
pub mod pipeline;
mod progress;
mod record;

mod apply;
mod completions;
mod drift;
mod fmt;
mod ledger;
mod plan;
mod schema;
mod signals;
mod trace;
mod validate;

use std::process::ExitCode;

use clap::Parser;

use crate::diag::{Exit, Failure};

use args::{Cli, Command};
use context::Context;

pub use args::command;

/// Parses the command line, runs the command, and gives the exit code.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => return out::usage(&usage),
    };
    let mut context = Context::new(cli.global);
    let result = dispatch(cli.command, &mut context);
    context.say_diagnostics();
    let exit = result.unwrap_or_else(|failure| {
        context.say_failure(&failure);
        failure.exit()
    });
    ExitCode::from(exit as u8)
}

fn dispatch(command: Command, context: &mut Context) -> Result<Exit, Failure> {
    match command {
        Command::Validate(args) => validate::run(&args, context),
        Command::Plan(args) => plan::run(&args, context),
        Command::Apply(args) => apply::run(&args, context),
        Command::Drift(args) => drift::run(&args, context),
        Command::Ledger(args) => ledger::run(&args, context),
        Command::Schema(args) => schema::run(&args, context),
        Command::Fmt(args) => fmt::run(&args, context),
        Command::Demo(args) => demo::run(&args, context),
        Command::Completions(args) => completions::run(&args, context),
    }
}
