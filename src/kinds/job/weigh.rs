//! Whether the server would take a job: what it runs, what checks it, and who may change it.

use crate::core::{Delta, Live, Op, Param, QualifiedName, Query, Row, RowError, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::job::{self, UNKNOWN_PROCEDURE};
use crate::kinds::{Judgement, View};

/// The routines that a job names: the attribute, the arguments' types as `pg_proc` has them, and as
/// people write them.
const ROUTINES: [(&str, &str, &str); 2] =
    [("procedure", "23 3802", "(integer, jsonb)"), ("check_config", "3802", "(jsonb)")];

/// The routines that a delta newly names.
fn named(delta: &Delta) -> impl Iterator<Item = (&'static str, &QualifiedName, &'static str, &'static str)> {
    let new = move |(attribute, arguments, words): (&'static str, &'static str, &'static str)| {
        delta.change(attribute)?;
        match delta.desired.as_ref()?.get(attribute)? {
            Value::Name(name) => Some((attribute, name, arguments, words)),
            _ => None,
        }
    };
    ROUTINES.into_iter().filter_map(new)
}

/// The one query for all deltas.
pub fn query(deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
    view.server.timescaledb.as_ref()?;
    let routines: Vec<_> = deltas.iter().flat_map(|delta| named(delta)).collect();
    let zones: Vec<&str> = deltas.iter().filter_map(|delta| job::new_timezone(delta)).collect();
    if routines.is_empty() && zones.is_empty() {
        return None;
    }
    let params = vec![
        Param::texts(routines.iter().map(|(_, name, _, _)| name.schema.clone())),
        Param::texts(routines.iter().map(|(_, name, _, _)| name.name.clone())),
        Param::texts(routines.iter().map(|(_, _, arguments, _)| *arguments)),
        Param::texts(zones),
    ];
    Some(Query { sql: include_str!("weigh.sql").to_owned(), params })
}

/// What is wrong with one delta, and what it costs.
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn judge(delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
    let mut judgement = Judgement::default();
    if op == Op::Blocked {
        return Ok(judgement);
    }
    judgement.diagnostics.extend(not_owner(delta, view));
    if op == Op::Remove {
        return Ok(judgement);
    }
    judgement.diagnostics.extend(job::unknown_timezone(delta, weights)?);
    for (attribute, name, arguments, words) in named(delta) {
        judgement.diagnostics.extend(routine(delta, attribute, name, (arguments, words), weights, view)?);
    }
    Ok(judgement)
}

fn routine(
    delta: &Delta,
    attribute: &str,
    name: &QualifiedName,
    (arguments, words): (&str, &str),
    weights: &[Row],
    view: &View<'_>,
) -> Result<Option<Diagnostic>, RowError> {
    let Some(desired) = &delta.desired else { return Ok(None) };
    for row in weights.iter().filter(|row| row.text("what") == Ok("routine")) {
        if (row.text("schema")?, row.text("name")?, row.text("arguments")?) != (&name.schema, &name.name, arguments) {
            continue;
        }
        if !row.bool("found")? {
            let message = format!("there is no procedure or function {name}{words}");
            let diagnostic = Diagnostic::error(&UNKNOWN_PROCEDURE, message)
                .at(desired.place_of(attribute))
                .help("names are exact: check the spelling and the schema, or run the migration that creates it first");
            return Ok(Some(match row.maybe_text("others")? {
                Some(others) => diagnostic.why(format!("one of that name is there with the arguments {others}")),
                None => diagnostic,
            }));
        }
        if !row.bool("executable")? {
            let message = format!("the session's role \"{}\" may not execute {name}{words}", view.server.user);
            return Ok(Some(
                Diagnostic::error(&code::NO_PRIVILEGE, message)
                    .at(desired.place_of(attribute))
                    .why("a job runs as the role that makes it")
                    .help(format!("GRANT EXECUTE ON ROUTINE {name}{words} TO it, or connect as another role")),
            ));
        }
    }
    Ok(None)
}

/// The server lets only the job's owner, or a member of that role, change it.
fn not_owner(delta: &Delta, view: &View<'_>) -> Option<Diagnostic> {
    let live: &Live = delta.live.as_ref()?;
    if live.fact("owned") != Some(&Value::Bool(false)) {
        return None;
    }
    let owner = live.fact("owner").and_then(Value::as_text).unwrap_or("an unknown role");
    let message = format!(
        "the job `{}` belongs to the role \"{owner}\", and the session's role \"{}\" may not change it",
        delta.address.name, view.server.user
    );
    let diagnostic = Diagnostic::error(&code::NO_PRIVILEGE, message)
        .help(format!("connect as \"{owner}\", or as a role that is a member of it"));
    let wanted = delta.desired.as_ref().or_else(|| view.desired.get(&delta.address));
    Some(match wanted {
        Some(desired) => diagnostic.at(&desired.place),
        None => diagnostic,
    })
}
