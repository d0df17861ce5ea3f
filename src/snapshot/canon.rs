//! Expressions in the server's own form, without creating anything.
//!
//! `EXPLAIN (VERBOSE)` deparses a query's output columns exactly as the server understands them.
//! Both sides of a comparison go through it, so that `status='x'` and `(status = 'x'::text)` come
//! out alike, on a standby too. `WHERE false` keeps the planner off every chunk. All of them are
//! asked in one round trip; only where one is refused is each asked on its own, to learn which.
//!
//! Beside each stands a `CASE` that is never taken: simplified, it is a NULL of the expression's type.
//! A second `EXPLAIN` of each, in the same round trip, tells whether it is immutable.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::name::quote_identifier;
use crate::core::{Address, Applied, Desired, Ensure, Live, QualifiedName, SqlText};
use crate::diag::Failure;
use crate::kinds::{Canon, RelationKind, Relations, by_id};
use crate::pg::{PgError, PgErrorKind, Session};
use crate::snapshot::queries;

type Asked = (QualifiedName, SqlText);

pub(super) fn settle(
    session: &mut Session,
    desired: &BTreeMap<Address, Desired>,
    live: &BTreeMap<Address, Live>,
    applied: &BTreeMap<Address, Applied>,
    relations: &Relations,
) -> Result<Canon, Failure> {
    let mut asked: BTreeSet<Asked> = BTreeSet::new();
    for wanted in desired.values().filter(|wanted| wanted.ensure == Ensure::Present) {
        if let Some(kind) = by_id(&wanted.address.kind) {
            let mut found = kind.expressions(wanted, live.get(&wanted.address));
            if let Some(applied) = applied.get(&wanted.address) {
                found.extend(kind.applied_expressions(wanted, applied));
            }
            asked.extend(found.into_iter().filter(|(relation, _)| relations.contains_key(relation)));
        }
    }
    ask(session, asked, relations)
}

/// The same for what is on relations that the plan makes or makes anew: an expression that the server refuses over
/// their columns to come is refused, and one that it takes only there is taken.
pub(super) fn settle_to_come(
    session: &mut Session,
    desired: &BTreeMap<Address, Desired>,
    relations: &Relations,
    canon: &mut Canon,
) -> Result<(), Failure> {
    let comes = |on: &QualifiedName| relations.get(on).and_then(queries::stand_in).is_some();
    let on_coming = desired.values().filter(|wanted| wanted.ensure == Ensure::Present);
    let on_coming = on_coming.filter(|wanted| wanted.on.as_ref().is_some_and(comes));
    let expressions = on_coming.filter_map(|wanted| Some(by_id(&wanted.address.kind)?.expressions(wanted, None)));
    let asked: BTreeSet<Asked> = expressions.flatten().filter(|(on, _)| comes(on)).collect();
    let answers = ask(session, asked.clone(), relations)?;
    for asked in asked {
        let Some(answer) = answers.get(&asked) else { continue };
        if answer.is_err() || !matches!(canon.get(&asked), Some(Ok(_))) {
            canon.insert(asked.clone(), answer.clone());
        }
        if let Some(name) = answers.type_of(&asked) {
            canon.set_type(asked, name.to_owned());
        }
    }
    Ok(())
}

fn ask(session: &mut Session, asked: BTreeSet<Asked>, relations: &Relations) -> Result<Canon, Failure> {
    if asked.is_empty() {
        return Ok(Canon::new());
    }
    let statements: Vec<String> = asked.iter().map(|asked| statements(asked, relations)).collect();
    match session.batch_texts(&statements.join("; ")) {
        Ok(results) => {
            let mut canon = Canon::new();
            let mut results = results.iter();
            for asked in asked {
                let answers: Vec<&Vec<String>> = results.by_ref().take(answers(&asked, relations)).collect();
                keep(&mut canon, asked, &answers);
            }
            Ok(canon)
        }
        Err(error) if error.kind == PgErrorKind::Server => one_by_one(session, asked, relations),
        Err(error) => Err(error.diagnostic("comparing expressions").into()),
    }
}

/// What the server is asked of one expression, and for how many answers.
fn statements(asked: &Asked, relations: &Relations) -> String {
    match mutability(asked, relations) {
        Some(mutability) => format!("{}; {mutability}", statement(asked, relations)),
        None => statement(asked, relations),
    }
}

fn answers(asked: &Asked, relations: &Relations) -> usize {
    1 + usize::from(mutability(asked, relations).is_some())
}

fn keep(canon: &mut Canon, asked: Asked, answers: &[&Vec<String>]) {
    if answers.get(1).is_some_and(|rows| !is_excluded(rows)) {
        canon.set_mutable(asked.clone());
    }
    let answer = answers.first().map_or_else(|| Err("the server gave no plan".to_owned()), |rows| output(rows));
    if let Ok((_, Some(name))) = &answer {
        canon.set_type(asked.clone(), name.clone());
    }
    canon.insert(asked, answer.map(|(form, _)| form));
}

/// `EXPLAIN` of the expression over no row. The text is one closed expression (see [`SqlText`]),
/// so the parentheses around it are where they seem to be.
fn statement((relation, expression): &Asked, relations: &Relations) -> String {
    let stand_in = relations.get(relation).and_then(queries::stand_in);
    let relation = match stand_in {
        Some(query) => format!("({query}) AS {}", quote_identifier(&relation.name)),
        None => relation.to_string(),
    };
    format!(
        "EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT ({expression}), CASE WHEN false THEN ({expression}) END \
         FROM {relation} WHERE false"
    )
}

/// `EXPLAIN` of the rows in which something is NULL and is not NULL. The planner finds that there are
/// none, and says so, only where it may reason about the conditions at all, which it may not where
/// a function in them is not IMMUTABLE: `relation_excluded_by_constraints` (`plancat.c`) asks
/// `contain_mutable_functions` of them as they are after simplification, and so does `CREATE INDEX`
/// (`indexcmds.c`). Seen to agree on PostgreSQL 15 and 17. `CASE` keeps rows, of which `IS NULL`
/// means something else, out of it. Nothing is known of what can have no index anyway.
fn mutability((name, expression): &Asked, relations: &Relations) -> Option<String> {
    let only = match relations.get(name)?.kind {
        // Without its chunks; a partitioned table alone has no rows whatever the condition.
        RelationKind::Table | RelationKind::MaterializedView => "ONLY ",
        RelationKind::PartitionedTable => "",
        RelationKind::View | RelationKind::ForeignTable | RelationKind::Other => return None,
    };
    let condition = format!("CASE WHEN ({expression}) IS NULL THEN 1 END");
    Some(format!(
        "EXPLAIN (COSTS OFF, FORMAT JSON) SELECT FROM {only}{name} WHERE {condition} IS NULL AND {condition} IS NOT NULL"
    ))
}

fn one_by_one(session: &mut Session, asked: BTreeSet<Asked>, relations: &Relations) -> Result<Canon, Failure> {
    let lost = |error: PgError| Failure::from(error.diagnostic("comparing expressions"));
    session.batch("ROLLBACK TO SAVEPOINT canon").map_err(lost)?;
    let mut canon = Canon::new();
    for asked in asked {
        match session.batch_texts(&statements(&asked, relations)) {
            Ok(results) => keep(&mut canon, asked, &results.iter().collect::<Vec<_>>()),
            Err(error) if error.kind == PgErrorKind::Server => {
                session.batch("ROLLBACK TO SAVEPOINT canon").map_err(lost)?;
                canon.insert(asked, Err(complaint(&error.message)));
            }
            Err(error) => return Err(lost(error)),
        }
    }
    Ok(canon)
}

/// The server's words without the place in the question that they speak of.
fn complaint(message: &str) -> String {
    message
        .strip_suffix(" are not allowed in WHERE")
        .map_or_else(|| message.to_owned(), |what| format!("{what} are not allowed here"))
}

/// The expression in the output of a plan in JSON, and its type.
fn output(rows: &[String]) -> Result<(String, Option<String>), String> {
    let text = rows.join("\n");
    let plan: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("the server's plan is no JSON: {error}"))?;
    let below = plan.pointer("/0/Plan/Plans").and_then(serde_json::Value::as_array);
    let relations = below.into_iter().flatten().filter_map(|plan| plan.get("Parent Relationship"));
    if relations.filter_map(serde_json::Value::as_str).any(|word| matches!(word, "InitPlan" | "SubPlan")) {
        return Err("subqueries are not allowed here".to_owned());
    }
    let output = plan.pointer("/0/Plan/Output").and_then(serde_json::Value::as_array);
    match output.map(Vec::as_slice) {
        Some([serde_json::Value::String(expression), typed]) if !is_row(expression) => {
            let name = typed.as_str().and_then(|typed| typed.strip_prefix("NULL::"));
            Ok((expression.clone(), name.map(str::to_owned)))
        }
        _ => Err("it is not one expression".to_owned()),
    }
}

/// Whether a plan says that there surely is no row.
fn is_excluded(rows: &[String]) -> bool {
    let plan: serde_json::Value = serde_json::from_str(&rows.join("\n")).unwrap_or_default();
    plan.pointer("/0/Plan/One-Time Filter").and_then(serde_json::Value::as_str) == Some("false")
}

/// Several expressions in parentheses are a row, which no index holds.
fn is_row(canonical: &str) -> bool {
    canonical.starts_with("ROW(") || canonical.ends_with("::record")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_a_plan_is_its_one_column() {
        let plan = r#"[{"Plan": {"Node Type": "Result", "Output": ["(price > '0'::numeric)", "NULL::boolean"], "One-Time Filter": "false"}}]"#;
        assert_eq!(output(&[plan.to_owned()]), Ok(("(price > '0'::numeric)".to_owned(), Some("boolean".to_owned()))));
        let untold = r#"[{"Plan": {"Output": ["a", "a"]}}]"#;
        assert_eq!(output(&[untold.to_owned()]), Ok(("a".to_owned(), None)));
        assert!(output(&[r#"[{"Plan": {"Output": ["a", "b", "c"]}}]"#.to_owned()]).is_err());
        assert!(output(&[r#"[{"Plan": {"Output": ["ROW(a, 2)", "NULL::record"]}}]"#.to_owned()]).is_err());
        assert!(output(&[r#"[{"Plan": {"Output": ["'(1,2)'::record", "NULL::record"]}}]"#.to_owned()]).is_err());
        assert!(output(&["garbage".to_owned()]).is_err());
        let below = r#"[{"Plan": {"Output": ["$0"], "Plans": [{"Parent Relationship": "InitPlan"}]}}]"#;
        assert_eq!(output(&[below.to_owned()]), Err("subqueries are not allowed here".to_owned()));
    }

    #[test]
    fn only_a_plan_without_rows_excludes_the_table() {
        let plan = |filter: &str| [format!(r#"[{{"Plan": {{"Node Type": "Result", {filter}"Plans": []}}}}]"#)];
        assert!(is_excluded(&plan(r#""One-Time Filter": "false","#)));
        assert!(!is_excluded(&plan(r#""One-Time Filter": "(now() IS NULL)","#)));
        assert!(!is_excluded(&plan("")));
        assert!(!is_excluded(&["garbage".to_owned()]));
        assert_eq!(
            complaint("aggregate functions are not allowed in WHERE"),
            "aggregate functions are not allowed here"
        );
        assert_eq!(complaint("type x does not exist"), "type x does not exist");
    }

    #[test]
    fn the_statement_names_the_relation_quoted() {
        let asked = (QualifiedName::new("Odd", "T"), SqlText::new("a > 0").unwrap());
        let ends = "SELECT (a > 0), CASE WHEN false THEN (a > 0) END FROM \"Odd\".\"T\" WHERE false";
        assert!(statement(&asked, &Relations::new()).ends_with(ends));
    }
}
