//! `chronoform drift`: live against last applied against desired.

use crate::cli::args::DriftArgs;
use crate::cli::context::Context;
use crate::cli::look::look;
use crate::cli::{fleet, out};
use crate::diag::{Exit, Failure, has_errors};
use crate::plan::Plan;
use crate::report::{self, DriftReport, Ending, Fleet};

/// Compares and reports; ends with differences where there are any.
pub fn run(args: &DriftArgs, context: &mut Context) -> Result<Exit, Failure> {
    if let Some(names) = context.several_targets()? {
        return several(args, &names, context);
    }
    let found = find(args, context)?;
    out::print(&report::drift(&found.report(), &context.report_options()));
    // That a difference cannot be closed makes it no less of one.
    if has_errors(&context.diagnostics) && !(found.compared && found.differs()) {
        return Err(Failure(std::mem::take(&mut context.diagnostics)));
    }
    Ok(if found.differs() { Exit::Differences } else { Exit::Done })
}

/// The same for several targets.
fn several(args: &DriftArgs, names: &[String], context: &mut Context) -> Result<Exit, Failure> {
    let mut found = fleet::look(names, args.parallel, context, |context| find(args, context))?;
    let exits = found.iter().map(|one| {
        one.exit(|found| match (found.compared && found.differs(), has_errors(&one.context.diagnostics)) {
            (true, _) => Exit::Differences,
            (false, true) => Exit::Error,
            (false, false) => Exit::Done,
        })
    });
    let exits: Vec<Exit> = exits.collect();
    let exit = fleet::worst(exits.iter().copied());
    let members = found.iter().zip(&exits).map(|(one, exit)| {
        one.member(|found| match exit {
            Exit::Done => (found.report(), "no drift", Ending::Well),
            Exit::Differences => (found.report(), "drift", Ending::Open),
            _ => (found.report(), "errors", Ending::Badly),
        })
    });
    let report = Fleet { members: members.collect(), exit: exit as u8 };
    out::print(&report::drifts(&report, &context.report_options()));
    fleet::say(&mut found);
    Ok(exit)
}

/// What is known of one database.
struct Found {
    plan: Plan,
    /// Whether every resource could be compared.
    compared: bool,
}

impl Found {
    fn report(&self) -> DriftReport<'_> {
        DriftReport {
            tool_version: &self.plan.tool_version,
            target: &self.plan.target,
            drift: &self.plan.drift,
            diagnostics: &self.plan.diagnostics,
        }
    }

    fn differs(&self) -> bool {
        self.plan.drift.iter().any(|resource| resource.status.is_difference())
    }
}

fn find(args: &DriftArgs, context: &mut Context) -> Result<Found, Failure> {
    let looked = look(&args.paths, context)?;
    Ok(Found { plan: looked.made.plan, compared: looked.made.compared })
}
