//! Targets in addresses, what sections make, and what there cannot be.

use serde_json::json;

use super::target::{Target, arguments, split_signature};
use super::*;
use crate::core::QualifiedName;
use crate::kinds::fixture::codes;

#[test]
fn a_target_reads_back_whatever_it_is_called() {
    for name in ["a", "in", "Mixed", " in ", "x in y", "a\"b", "\"", "a.b", "of", "(", "a(b)", "🦀"] {
        let qualified = QualifiedName::new(name, name);
        let name = name.to_owned();
        let later = |schema| Target::Later { by: name.clone(), schema, what: "tables".into() };
        for target in [
            Target::Database,
            Target::Schema(name.clone()),
            Target::Table(qualified.clone()),
            Target::TablesIn(name.clone()),
            Target::Sequence(qualified.clone()),
            Target::SequencesIn(name.clone()),
            Target::Function(qualified.clone(), String::new()),
            Target::Function(qualified.clone(), "integer, text[]".into()),
            Target::FunctionsIn(name.clone()),
            Target::Role(name.clone()),
            later(None),
            later(Some(name.clone())),
        ] {
            assert_eq!(Target::read(&target.name()), Some(target.clone()), "{}", target.name());
        }
    }
    for other in ["", "table", "table a.b.c", "schema a b", "later tables of a on b", "function f"] {
        assert_eq!(Target::read(other), None, "{other}");
    }
}

#[test]
fn argument_types_have_one_spelling() {
    assert_eq!(arguments("int,  text []"), "integer, text[]");
    assert_eq!(arguments("pg_catalog.int8 , TIMESTAMPTZ"), "bigint, timestamp with time zone");
    assert_eq!(arguments(" "), "");
    assert_eq!(arguments("\"Odd\".\"T\""), "\"Odd\".\"T\"");
    assert_eq!(split_signature("\"a(b\".f(integer)"), Some(("\"a(b\".f", "integer")));
    assert_eq!(split_signature("f"), None);
}

fn said(at: usize, value: &serde_json::Value) -> Vec<&'static str> {
    let mut sink = Vec::new();
    crate::kinds::fixture::with_value(value, |input| (SECTIONS[at].expand)(input, &mut sink));
    codes(&sink)
}

fn made(at: usize, value: &serde_json::Value) -> Vec<String> {
    let mut sink = Vec::new();
    let found = crate::kinds::fixture::with_value(value, |input| (SECTIONS[at].expand)(input, &mut sink));
    assert_eq!(codes(&sink), Vec::<&str>::new());
    let shown = |it: &Desired| {
        let attributes: Vec<String> = it.attributes.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        format!("{}: {}", it.address.name, attributes.join(", "))
    };
    found.iter().map(shown).collect()
}

#[test]
fn an_item_makes_a_resource_a_thing() {
    let tables = json!({"privileges": ["SELECT", "insert"], "tables": ["trades", "App.T"]});
    assert_eq!(
        made(0, &tables),
        [
            "table public.trades: insert: granted, select: granted",
            "table \"App\".\"T\": insert: granted, select: granted"
        ]
    );
    let function = json!({"privileges": ["all"], "functions": ["f(int)"], "grant_option": true});
    assert_eq!(made(0, &function), ["function public.f(integer): execute: with grant option"]);
    assert_eq!(
        made(0, &json!({"privileges": ["temp"], "database": true, "ensure": "absent"})),
        ["database: temporary: none"]
    );
    let later = json!({"privileges": ["select"], "on": "tables", "made_by": "migrator", "in_schema": "app"});
    assert_eq!(made(1, &later), ["later tables of migrator in app: select: granted"]);
    assert_eq!(made(2, &json!({"role": "pg_monitor", "admin": true})), ["role pg_monitor: admin: true, member: true"]);
}

#[test]
fn what_cannot_be_is_said() {
    assert_eq!(said(0, &json!({"privileges": ["select"]})), ["missing-key"]);
    assert_eq!(said(0, &json!({"privileges": ["select"], "database": true, "tables": ["a"]})), ["policy-conflict"]);
    assert_eq!(said(0, &json!({"privileges": ["execute"], "tables": ["a"]})), ["wrong-value"]);
    assert_eq!(said(0, &json!({"privileges": [], "tables": ["a"]})), ["wrong-value"]);
    assert_eq!(said(0, &json!({"privileges": ["execute"], "functions": ["f"]})), ["bad-name"]);
    assert_eq!(said(0, &json!({"privileges": ["select"], "tables": ["a.b.c"]})), ["bad-name"]);
    let schemas = json!({"privileges": ["usage"], "on": "schemas", "made_by": "m", "in_schema": "s"});
    assert_eq!(said(1, &schemas), ["policy-conflict"]);
    assert_eq!(said(2, &json!({"role": "trades"})), ["policy-conflict"], "of itself");
}

fn united(first: &serde_json::Value, again: &serde_json::Value) -> Option<Vec<String>> {
    let make = |value: &serde_json::Value| {
        let mut sink = Vec::new();
        let found = crate::kinds::fixture::with_value(value, |input| (SECTIONS[0].expand)(input, &mut sink));
        found.into_iter().next().unwrap()
    };
    let (mut first, again) = (make(first), make(again));
    let before = first.clone();
    if !Grant.unite(&mut first, &again) {
        assert_eq!(first, before);
        return None;
    }
    Some(first.attributes.iter().map(|(name, value)| format!("{name}: {value}")).collect())
}

#[test]
fn items_about_one_thing_go_together_unless_they_disagree() {
    let select = json!({"privileges": ["select"], "tables": ["a"]});
    let insert = json!({"privileges": ["insert"], "tables": ["a"], "grant_option": true});
    let absent = json!({"privileges": ["delete"], "tables": ["a"], "ensure": "absent"});
    assert_eq!(united(&select, &insert).unwrap(), ["insert: with grant option", "select: granted"]);
    assert_eq!(united(&insert, &absent).unwrap(), ["delete: none", "insert: with grant option"]);
    assert_eq!(united(&select, &select), None, "each privilege is said once");
    let exclusive = json!({"privileges": ["insert"], "tables": ["a"], "exclusive": true});
    assert_eq!(united(&select, &exclusive), None);
    assert_eq!(united(&exclusive, &select), None);
}

fn has(role: &str, target: &str, privileges: &[&str]) -> Live {
    let mut live = Live::new(Address { kind: ID, schema: Some(role.into()), name: target.into() }, None);
    for privilege in privileges {
        live.set(privilege, Value::text(GRANTED));
    }
    live.set_fact(observe::BESIDE, Value::texts([role.to_owned(), target.to_owned()]));
    live
}

#[test]
fn what_is_mentioned_in_any_way_is_not_told_again() {
    let wanted = |value: &serde_json::Value| {
        let mut sink = Vec::new();
        let found = crate::kinds::fixture::with_value(value, |input| (SECTIONS[0].expand)(input, &mut sink));
        found.into_iter().map(|it| (it.address.clone(), it)).collect::<BTreeMap<_, _>>()
    };
    let left = |value: &serde_json::Value, applied: &[(&str, &str)]| {
        let role = crate::kinds::fixture::on().name;
        let then = |(target, privilege): &(&str, &str)| {
            let address = Address { kind: ID, schema: Some(role.clone()), name: (*target).to_owned() };
            let attributes = [((*privilege).to_owned(), json!(GRANTED))].into_iter().collect();
            let applied =
                Applied { address, on: None, attributes, adopted: false, source: None, at: None, begun: None };
            (applied.address.clone(), applied)
        };
        let mut part = has("third", "table _timescaledb_internal._hyper_5_26_chunk", &["delete"]);
        part.set_fact(observe::PART, true);
        let found = vec![
            has(&role, "table app.a", &["select", "insert"]),
            has(&role, "table app.b", &["select"]),
            has("other", "table app.a", &["select"]),
            has(&role, "table _timescaledb_internal.compress_hyper_5_26_chunk", &["select"]),
            has("third", "table _timescaledb_internal.compress_hyper_5_26_chunk_of_mine", &["select"]),
            part,
        ];
        let left = unmentioned::leave_out(found, &wanted(value), &applied.iter().map(then).collect());
        let told = |live: &Live| {
            let privileges: Vec<&str> = live.attributes.keys().map(String::as_str).collect();
            format!("{} {}", live.address.name, privileges.join(","))
        };
        assert_eq!(left.iter().filter(|live| live.address.schema.as_deref() == Some("third")).count(), 2);
        let own = left.iter().filter(|live| live.address.schema.as_deref() == Some(role.as_str()));
        own.map(told).collect::<Vec<_>>()
    };
    let one = json!({"privileges": ["select"], "tables": ["app.a"]});
    assert_eq!(left(&one, &[]), ["table app.a insert", "table app.b select"]);
    let all = json!({"privileges": ["select"], "all_tables_in": ["app"]});
    assert_eq!(left(&all, &[]), ["table app.a insert"]);
    let gone = json!({"privileges": ["insert"], "tables": ["app.a"], "ensure": "absent"});
    assert_eq!(left(&gone, &[]), ["table app.a select", "table app.b select"]);
    let exclusive = json!({"privileges": ["select"], "all_tables_in": ["app"], "exclusive": true});
    assert_eq!(left(&exclusive, &[]), Vec::<String>::new());
    // What was applied and is wanted no more is revoked by the same plan.
    assert_eq!(left(&one, &[("all tables in app", "insert")]), ["table app.b select"]);
}
