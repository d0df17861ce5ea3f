//! The command line: one file a command. The only room that prints or ends the process.

mod args;
mod baseline;
mod context;
pub mod demo;
mod fleet;
mod look;
mod out;
pub mod pipeline;
pub mod progress;
mod publish;
pub mod record;

pub mod apply;
mod archive;
mod archive_back;
mod archive_doubt;
mod archive_of;
mod backup;
mod completions;
mod drift;
mod fmt;
mod import;
mod ledger;
mod man;
mod plan;
mod run;
mod run_args;
mod schema;
mod signals;
mod trace;
mod validate;

use std::process::ExitCode;

use crate::core::caught;
use crate::diag::{Diagnostic, Exit, Failure, code};
use crate::plan::Message;

use args::{Cli, Command, Format};
use context::Context;

pub use args::command;

/// A panic that is reckoned with is told as the error that it is, and not by the runtime as well.
fn quiet_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !caught::is_expected() {
            before(panic);
        }
    }));
}

/// Parses the command line, runs the command, and gives the exit code.
pub fn run() -> ExitCode {
    quiet_panics();
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(usage) if backup::fetches() && usage.use_stderr() => {
            out::usage(&usage);
            return ExitCode::from(Exit::Abort as u8);
        }
        Err(usage) => return out::usage(&usage),
    };
    let mut context = Context::new(cli.global);
    let result = dispatch(cli.command, &mut context);
    // Whoever asked for JSON gets JSON, also of what went wrong before there was a result.
    if let (Err(failure), Format::Json, false) = (&result, context.global.format, out::has_printed()) {
        let messages: Vec<Message> = failure.0.iter().chain(&context.diagnostics).map(Message::from).collect();
        out::print(&format!("{:#}\n", serde_json::json!({ "diagnostics": messages })));
    }
    context.say_diagnostics();
    let exit = result.unwrap_or_else(|failure| {
        context.say_failure(&failure);
        backup::exit(&failure)
    });
    if out::is_lost() {
        let message = "standard output could not be written: what was printed there is not whole";
        context.say_failure(&Diagnostic::error(&code::OUTPUT_LOST, message).into());
        return ExitCode::from(exit.max(Exit::Error) as u8);
    }
    ExitCode::from(exit as u8)
}

fn dispatch(command: Command, context: &mut Context) -> Result<Exit, Failure> {
    if !command.takes_several_targets() {
        context.expect_one_target()?;
    }
    if !command.has_format(context.global.format) {
        let message = "this command has no report of findings";
        let help = "`sarif` and `junit` are formats of `validate`, `plan` and `drift`";
        return Err(Diagnostic::error(&code::BAD_CONFIG, message).help(help).into());
    }
    match command {
        Command::Validate(args) => validate::run(&args, context),
        Command::Plan(args) => plan::run(&args, context),
        Command::Apply(args) => apply::run(&args, context),
        Command::Run(args) => run::run(&args, context),
        Command::Archive(args) => archive::run(&args, context),
        Command::Backup(args) => backup::run(&args, context),
        Command::Drift(args) => drift::run(&args, context),
        Command::Import(args) => import::run(&args, context),
        Command::Ledger(args) => ledger::run(&args, context),
        Command::Schema(args) => schema::run(&args, context),
        Command::Fmt(args) => fmt::run(&args, context),
        Command::Demo(args) => demo::run(&args, context),
        Command::Completions(args) => completions::run(&args, context),
        Command::Man(args) => man::run(&args),
    }
}
