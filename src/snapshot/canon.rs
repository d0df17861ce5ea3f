//! Expressions in the server's own form, without creating anything.
//!
//! `EXPLAIN (VERBOSE)` deparses a query's output columns exactly as the server understands them.
//! Both sides of a comparison go through it, so that `status='x'` and `(status = 'x'::text)` come
//! out alike, on a standby too. `WHERE false` keeps the planner off every chunk. All of them are
//! asked in one round trip; only where one is refused is each asked on its own, to learn which.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{Address, Applied, Desired, Ensure, Live, QualifiedName, SqlText};
use crate::diag::Failure;
use crate::kinds::{Canon, Relations, by_id};
use crate::pg::{PgError, PgErrorKind, Session};

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
    if asked.is_empty() {
        return Ok(Canon::new());
    }
    let statements: Vec<String> = asked.iter().map(statement).collect();
    match session.batch_texts(&statements.join("; ")) {
        Ok(results) => Ok(asked.into_iter().zip(&results).map(|(asked, rows)| (asked, output(rows))).collect()),
        Err(error) if error.kind == PgErrorKind::Server => one_by_one(session, asked),
        Err(error) => Err(error.diagnostic("comparing expressions").into()),
    }
}

/// `EXPLAIN` of the expression over no row. The text is one closed expression (see [`SqlText`]),
/// so the parentheses around it are where they seem to be.
fn statement((relation, expression): &Asked) -> String {
    format!("EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT ({expression}) FROM {relation} WHERE false")
}

fn one_by_one(session: &mut Session, asked: BTreeSet<Asked>) -> Result<Canon, Failure> {
    let lost = |error: PgError| Failure::from(error.diagnostic("comparing expressions"));
    session.batch("ROLLBACK TO SAVEPOINT canon").map_err(lost)?;
    let mut canon = Canon::new();
    for asked in asked {
        let found = match session.batch_texts(&statement(&asked)) {
            Ok(results) => {
                results.first().map_or_else(|| Err("the server gave no plan".to_owned()), |rows| output(rows))
            }
            Err(error) if error.kind == PgErrorKind::Server => {
                session.batch("ROLLBACK TO SAVEPOINT canon").map_err(lost)?;
                Err(error.message)
            }
            Err(error) => return Err(lost(error)),
        };
        canon.insert(asked, found);
    }
    Ok(canon)
}

/// The one output column of a plan in JSON.
fn output(rows: &[String]) -> Result<String, String> {
    let text = rows.join("\n");
    let plan: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("the server's plan is no JSON: {error}"))?;
    let output = plan.pointer("/0/Plan/Output").and_then(serde_json::Value::as_array);
    match output.map(Vec::as_slice) {
        Some([serde_json::Value::String(expression)]) if !is_row(expression) => Ok(expression.clone()),
        _ => Err("it is not one expression".to_owned()),
    }
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
        let plan =
            r#"[{"Plan": {"Node Type": "Result", "Output": ["(price > '0'::numeric)"], "One-Time Filter": "false"}}]"#;
        assert_eq!(output(&[plan.to_owned()]), Ok("(price > '0'::numeric)".to_owned()));
        assert!(output(&[r#"[{"Plan": {"Output": ["a", "b"]}}]"#.to_owned()]).is_err());
        assert!(output(&[r#"[{"Plan": {"Output": ["ROW(a, 2)"]}}]"#.to_owned()]).is_err());
        assert!(output(&[r#"[{"Plan": {"Output": ["'(1,2)'::record"]}}]"#.to_owned()]).is_err());
        assert!(output(&["garbage".to_owned()]).is_err());
    }

    #[test]
    fn the_statement_names_the_relation_quoted() {
        let asked = (QualifiedName::new("Odd", "T"), SqlText::new("a > 0").unwrap());
        assert!(statement(&asked).ends_with("SELECT (a > 0) FROM \"Odd\".\"T\" WHERE false"));
    }
}
