//! `chronoform validate`: policy files, offline.

use serde_json::json;

use crate::cli::args::{Format, ValidateArgs};
use crate::cli::context::Context;
use crate::cli::fleet;
use crate::cli::publish::{in_format, publish};
use crate::diag::{Diagnostic, Exit, Failure, has_errors};
use crate::guard;
use crate::load::Policies;
use crate::plan::Message;
use crate::report::findings::of_messages;

/// Reads and checks every policy file; says what is wrong with all of them at once.
pub fn run(args: &ValidateArgs, context: &mut Context) -> Result<Exit, Failure> {
    if let Some(names) = context.several_targets()? {
        return several(args, &names, context);
    }
    let result = guarded(args, context);
    let errors = result.as_ref().err().map(|failure| failure.0.as_slice()).unwrap_or_default();
    let messages: Vec<Message> = errors.iter().chain(&context.diagnostics).map(Message::from).collect();
    let document = json!({ "valid": result.is_ok(), "diagnostics": messages });
    let counts = result.as_ref().ok().map(counts);
    report(args, context, &messages, &document, counts)?;
    result.map(|_| Exit::Done)
}

/// The same with each target's variables.
fn several(args: &ValidateArgs, names: &[String], context: &mut Context) -> Result<Exit, Failure> {
    let mut found = fleet::look(names, None, context, |context| guarded(args, context))?;
    let exit = fleet::worst(found.iter().map(|one| one.exit(|_| Exit::Done)));
    // What is wrong for several is one message.
    let mut messages: Vec<Message> = Vec::new();
    let mut targets = Vec::new();
    for one in &found {
        let errors = one.result.as_ref().err().map(|failure| failure.0.as_slice()).unwrap_or_default();
        let said: Vec<&Diagnostic> = errors.iter().chain(&one.context.diagnostics).collect();
        let said: Vec<Message> = said.into_iter().map(Message::from).collect();
        targets.push(json!({ "target": one.name, "valid": one.result.is_ok(), "diagnostics": said }));
        for message in said {
            if !messages.contains(&message) {
                messages.push(message);
            }
        }
    }
    let document = json!({ "valid": exit == Exit::Done, "targets": targets });
    let mut all = found.iter().filter_map(|one| one.result.as_ref().ok().map(counts));
    let well = (exit == Exit::Done).then(|| all.next().unwrap_or_default());
    report(args, context, &messages, &document, well)?;
    fleet::say(&mut found);
    Ok(exit)
}

/// The policies, and what the guardrails say that need nothing else.
fn guarded(args: &ValidateArgs, context: &mut Context) -> Result<Policies, Failure> {
    let policies = context.policies(&args.paths)?;
    let mut found = Vec::new();
    guard::judge(&policies.guardrails, &policies.subjects(), &policies.desired, None, &mut found);
    if has_errors(&found) {
        return Err(Failure(found));
    }
    context.diagnostics.append(&mut found);
    Ok(policies)
}

fn counts(policies: &Policies) -> (usize, usize) {
    (policies.files.len(), policies.desired.len())
}

fn report(
    args: &ValidateArgs,
    context: &Context,
    messages: &[Message],
    document: &serde_json::Value,
    well: Option<(usize, usize)>,
) -> Result<(), Failure> {
    let line = match well {
        Some((files, resources)) if !context.global.quiet => {
            format!("{} and {}: valid.\n", count(files, "file"), count(resources, "resource"))
        }
        _ => String::new(),
    };
    publish(&args.out, context, |format, options| {
        in_format(
            format,
            options,
            "policies",
            || of_messages(messages),
            |_| match format {
                Format::Json => format!("{document:#}\n"),
                _ => line.clone(),
            },
        )
    })
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
