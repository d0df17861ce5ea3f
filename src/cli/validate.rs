//! `chronoform validate`: policy files, offline.

use crate::cli::args::{Format, Paths};
use crate::cli::context::Context;
use crate::cli::out;
use crate::diag::{Exit, Failure, has_errors};
use crate::guard;
use crate::load::Policies;
use crate::plan::Message;

/// Reads and checks every policy file; says what is wrong with all of them at once.
pub fn run(args: &Paths, context: &mut Context) -> Result<Exit, Failure> {
    let result = context.policies(args).and_then(|policies| guarded(policies, context));
    if context.global.format == Format::Json {
        let errors = result.as_ref().err().map(|failure| failure.0.as_slice()).unwrap_or_default();
        let messages: Vec<Message> = errors.iter().chain(&context.diagnostics).map(Message::from).collect();
        let document = serde_json::json!({ "valid": result.is_ok(), "diagnostics": messages });
        out::print(&format!("{document:#}\n"));
    }
    let policies = result?;
    if context.global.format != Format::Json && !context.global.quiet {
        let (files, resources) = (policies.files.len(), policies.desired.len());
        out::print(&format!("{} and {}: valid.\n", count(files, "file"), count(resources, "resource")));
    }
    Ok(Exit::Done)
}

/// Asks the guardrails that need nothing but the policies.
fn guarded(policies: Policies, context: &mut Context) -> Result<Policies, Failure> {
    let mut found = Vec::new();
    guard::judge(&policies.guardrails, &policies.subjects(), &policies.desired, None, &mut found);
    if has_errors(&found) {
        return Err(Failure(found));
    }
    context.diagnostics.append(&mut found);
    Ok(policies)
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
