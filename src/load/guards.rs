//! What a project forbids now, by guardrails and by `protect`, for a plan that was made from it earlier.

use std::path::PathBuf;

use crate::diag::{Diagnostic, Failure, Sources, code};
use crate::guard::Standing;
use crate::load::yaml::Value;
use crate::load::{Variables, files, policies_of, yaml};

/// What the policies forbid now: those chosen, and the project's guardrails and classes beside them. Where
/// no file has a guardrail or a `protect`, nothing else of them is looked at. A path that is not there says
/// nothing.
///
/// # Errors
/// Where there is any and the policies cannot be read: then what they say is not known.
pub fn standing(
    chosen: &[PathBuf],
    project: &[PathBuf],
    variables: &Variables,
    sources: &mut Sources,
) -> Result<Standing, Failure> {
    let there = |paths: &[PathBuf]| paths.iter().filter(|path| path.exists()).cloned().collect::<Vec<_>>();
    let (chosen, project) = (there(chosen), there(project));
    let mut unread = Vec::new();
    let mut paths = files::find(&chosen, &mut unread);
    paths.extend(files::others(&project, &paths, &mut unread));
    if !paths.iter().any(|path| may_forbid(path, sources)) {
        return Ok(Standing::default());
    }
    let policies = policies_of(&chosen, &project, variables, sources, &mut Vec::new()).map_err(unknown)?;
    let subjects = policies.subjects();
    Ok(Standing { guardrails: policies.guardrails, subjects, desired: policies.desired })
}

/// Whether a file has a guardrail or a `protect`, or cannot be read, so that it might.
fn may_forbid(path: &std::path::Path, sources: &mut Sources) -> bool {
    let Ok(file) = files::read(path, sources) else { return true };
    let mut found = Vec::new();
    let is_one = |document: &yaml::Node| match &document.value {
        Value::Map(entries) => entries.iter().any(|(key, value)| {
            let key = if let Value::Text(key) = &key.value { key.as_str() } else { "" };
            key == "protect" || key == "kind" && value.value == Value::Text("guardrail".to_owned())
        }),
        _ => false,
    };
    yaml::documents(&file.text, &mut found).iter().any(is_one) || !found.is_empty()
}

fn unknown(failure: Failure) -> Failure {
    let message =
        "the policies have guardrails or `protect` and cannot be read, so that it is not known what they forbid now";
    let first = Diagnostic::error(&code::GUARDRAIL_UNKNOWN, message)
        .why(
            "a plan must hold under what its policies forbade when it was made, and under what they forbid as they are",
        )
        .help("mend what is said below; where the plan was made with `--var` or `--var-file`, give the same here");
    Failure(std::iter::once(first).chain(failure.0).collect())
}
