//! Whether an index as it was applied is what the policy wants: the ledger has the server's spelling
//! of expressions, and the policy its author's.

use serde_json::Value as Json;

use crate::core::{Applied, Desired, KeyColumn, KeyTarget, QualifiedName, SqlText};
use crate::kinds::Canon;
use crate::kinds::index::settle::{condition, expression, keys, predicate};

/// The expressions of both whose texts differ.
pub fn expressions(desired: &Desired, applied: &Applied) -> Vec<(QualifiedName, SqlText)> {
    let Some(on) = &desired.on else { return Vec::new() };
    let mut asked = Vec::new();
    let then = applied.attributes.get("columns").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    for (key, then) in keys(desired.get("columns")).zip(then) {
        asked.push(expression(key).cloned().zip(expression_of(key, then)));
    }
    let (ours, theirs) = predicates(desired, applied.attributes.get("where"));
    asked.push(ours.zip(theirs));
    let differing = asked.into_iter().flatten().filter(|(ours, theirs)| ours != theirs);
    differing.flat_map(|(ours, theirs)| [(on.clone(), ours), (on.clone(), theirs)]).collect()
}

/// Whether an attribute as it was applied means what is wanted.
pub fn means_same(desired: &Desired, attribute: &str, applied: &Json, canon: &Canon) -> bool {
    let Some(on) = &desired.on else { return false };
    let asked = |sql: SqlText| canon.get(&(on.clone(), sql)).and_then(|found| found.as_ref().ok());
    let alike = |ours: SqlText, theirs: SqlText| asked(ours).is_some_and(|ours| asked(theirs) == Some(ours));
    match attribute {
        "columns" => {
            let wanted: Vec<&KeyColumn> = keys(desired.get("columns")).collect();
            let then = applied.as_array().map(Vec::as_slice).unwrap_or_default();
            let same = |(key, then): (&&KeyColumn, &Json)| {
                let (ours, theirs) = (expression(key).cloned(), expression_of(key, then));
                then.as_str() == Some(&key.to_string()) || ours.zip(theirs).is_some_and(|(a, b)| alike(a, b))
            };
            wanted.len() == then.len() && wanted.iter().zip(then).all(same)
        }
        "where" => {
            let (ours, theirs) = predicates(desired, Some(applied));
            ours.zip(theirs).is_some_and(|(ours, theirs)| alike(ours, theirs))
        }
        _ => false,
    }
}

/// The conditions of both.
fn predicates(desired: &Desired, applied: Option<&Json>) -> (Option<SqlText>, Option<SqlText>) {
    let then = applied.and_then(Json::as_str).and_then(|text| SqlText::new(text).ok());
    (predicate(desired.get("where")).and_then(condition), then.as_ref().and_then(condition))
}

/// The expression in a key as it was applied, where all else in it is as in the key that is wanted.
fn expression_of(key: &KeyColumn, applied: &Json) -> Option<SqlText> {
    let ours = expression(key)?;
    let around = |sql: &SqlText| KeyColumn { target: KeyTarget::Expression(sql.clone()), ..key.clone() }.to_string();
    let whole = around(ours);
    let end = whole.strip_prefix(&format!("({ours}"))?;
    let inner = applied.as_str()?.strip_prefix('(')?.strip_suffix(end)?;
    SqlText::new(inner).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Address, KindId, Place, Value};

    fn desired(key: KeyColumn) -> Desired {
        let on = QualifiedName::new("public", "t");
        let place = Place { file: "x".into(), line: 1, column: 1, start: 0, end: 0, via: None };
        let mut desired = Desired::new(Address::in_schema(KindId::new("index"), &on), Some(on), place);
        desired.set("columns", Value::List(vec![key.into()]));
        desired.set("where", Value::Sql(SqlText::new("a>0").unwrap()));
        desired
    }

    fn key(text: &str) -> KeyColumn {
        KeyColumn { target: KeyTarget::Expression(SqlText::new(text).unwrap()), ..KeyColumn::column("x") }
    }

    #[test]
    fn what_was_applied_is_recognized_in_the_servers_spelling() {
        let desired = desired(KeyColumn { descending: true, ..key("lower( a )") });
        let asked = |text: &str| (QualifiedName::new("public", "t"), SqlText::new(text).unwrap());
        let canon = Canon::from([
            (asked("lower( a )"), Ok("lower(a)".to_owned())),
            (asked("lower(a)"), Ok("lower(a)".to_owned())),
            (asked("CASE WHEN (a>0) THEN true END"), Ok("x".to_owned())),
            (asked("CASE WHEN (a > 0) THEN true END"), Ok("x".to_owned())),
            (asked("CASE WHEN (a > 1) THEN true END"), Ok("y".to_owned())),
        ]);
        let then = |text: &str| Json::Array(vec![Json::from(text)]);
        assert!(means_same(&desired, "columns", &then("(lower(a)) desc nulls last"), &canon));
        assert!(!means_same(&desired, "columns", &then("(lower(a))"), &canon));
        assert!(!means_same(&desired, "columns", &then("a desc nulls last"), &canon));
        assert!(means_same(&desired, "where", &Json::from("a > 0"), &canon));
        assert!(!means_same(&desired, "where", &Json::from("a > 1"), &canon));
        assert!(!means_same(&desired, "where", &Json::Null, &canon));
        assert!(!means_same(&desired, "unique", &Json::from(false), &canon));
    }
}
