//! What is taken for the rest of an interrupted replacement, and what is not.

use serde_json::{Value as Json, json};

use super::{Index, names, way};
use crate::core::{Cell, Delta, Op, Row, Value};
use crate::kinds::Kind;
use crate::kinds::fixture::{World, codes, daily, row, table, text};

const KIND: &dyn Kind = &Index;

/// A plain index on `symbol`, or with other cells in place of the usual ones.
fn index(oid: i64, name: &str, others: &[(&str, Cell)]) -> Row {
    let usual = [
        ("oid", Cell::Int(oid)),
        ("relation", Cell::Int(7)),
        ("name", text(name)),
        ("method", text("btree")),
        ("is_unique", Cell::Bool(false)),
        ("nulls_not_distinct", Cell::Bool(false)),
        ("valid", Cell::Bool(true)),
        ("clustered", Cell::Bool(false)),
        ("replica_identity", Cell::Bool(false)),
        ("of_parent", Cell::Bool(false)),
        ("keys", Cell::Int(1)),
        ("constraint_type", Cell::Null),
        ("own_tablespace", Cell::Bool(false)),
        ("tablespace", text("pg_default")),
        ("options", Cell::List(Vec::new())),
        ("comment", Cell::Null),
        ("at", Cell::Int(1)),
        ("column", text("symbol")),
        ("option", Cell::Int(0)),
        ("expression", Cell::Null),
        ("predicate", Cell::Null),
        ("default_opclass", Cell::Bool(true)),
        ("opclass_schema", text("pg_catalog")),
        ("opclass", text("text_ops")),
        ("own_collation", Cell::Bool(true)),
        ("collation_schema", text("pg_catalog")),
        ("collation", text("default")),
    ];
    let replaced = |name: &str| others.iter().any(|(other, _)| *other == name);
    let kept = usual.into_iter().filter(|(name, _)| !replaced(name));
    row(&kept.chain(others.iter().cloned()).collect::<Vec<_>>())
}

fn world(rows: &[Row]) -> World {
    World::new("2.29.2", table()).with(KIND, rows)
}

fn wanted(column: &str) -> Json {
    json!({"name": "ix", "columns": [column]})
}

fn taken(name: &str) -> Row {
    row(&[
        ("finding", text("taken")),
        ("oid", Cell::Null),
        ("schema", text("public")),
        ("name", text(name)),
        ("words", text("an index of trades")),
    ])
}

fn left(delta: &Delta, world: &World, what: &str) -> bool {
    way::context(delta, &world.view()).get(what) == Some(&Value::Bool(true))
}

#[test]
fn a_name_alone_makes_nothing_a_leftover() {
    for others in [
        &[][..],
        &[("is_unique", Cell::Bool(true))],
        &[("comment", text("mine"))],
        &[("constraint_type", text("u")), ("valid", Cell::Bool(false))],
        &[("replica_identity", Cell::Bool(true)), ("comment", text(names::RETIRED_MARK))],
    ] {
        let rows = [index(1, "ix", &[]), index(2, "ix_chronoform_new", others), index(3, "ix_chronoform_old", others)];
        let world = world(&rows);
        assert_eq!(world.live.len(), 3, "they stay indexes of their own");
        let delta = world.delta(KIND, &wanted("symbol"));
        assert!(delta.changes.is_empty(), "{:?}", delta.changes);
        assert!(!left(&delta, &world, "unfinished_left") && !left(&delta, &world, "retired_left"));
    }
}

#[test]
fn what_was_never_finished_and_what_was_marked_are_cleared_away() {
    let rows = [
        index(1, "ix", &[]),
        index(2, "ix_chronoform_new", &[("valid", Cell::Bool(false))]),
        index(3, "ix_chronoform_old", &[("comment", text(names::RETIRED_MARK))]),
    ];
    let world = world(&rows);
    assert_eq!(world.live.len(), 1);
    let delta = world.delta(KIND, &wanted("symbol"));
    assert_eq!(delta.changes.len(), 2);
    assert!(left(&delta, &world, "unfinished_left") && left(&delta, &world, "retired_left"));
}

#[test]
fn a_name_in_the_way_of_a_replacement_is_said_and_not_taken() {
    let rows = [index(1, "ix", &[]), index(2, "ix_chronoform_new", &[]), index(3, "ix_chronoform_old", &[])];
    let world = world(&rows);
    let delta = world.delta(KIND, &wanted("venue"));
    let weights = [taken("ix_chronoform_new"), taken("ix_chronoform_old"), taken("other")];
    let judged = KIND.judge(&delta, Op::Replace, &weights, &world.view()).unwrap();
    assert_eq!(codes(&judged.diagnostics), ["index-name-taken"; 2]);
    assert!(!left(&delta, &world, "unfinished_left") && !left(&delta, &world, "retired_left"));
}

#[test]
fn what_is_built_just_as_wanted_takes_over_unless_a_constraint_has_it() {
    let built = |others: &[(&str, Cell)]| {
        let mut cells = vec![("column", text("venue"))];
        cells.extend_from_slice(others);
        let world = world(&[index(1, "ix", &[]), index(2, "ix_chronoform_new", &cells)]);
        let delta = world.delta(KIND, &wanted("venue"));
        let judged = KIND.judge(&delta, Op::Replace, &[taken("ix_chronoform_new")], &world.view()).unwrap();
        let over = KIND.takes_over(&delta, &world.view()).map(|address| address.name);
        assert_eq!(over.as_deref(), judged.diagnostics.is_empty().then_some("ix_chronoform_new"));
        let told = judged.impact.iter().flat_map(|impact| &impact.notes).any(|note| note.contains("ix_chronoform_new"));
        assert_eq!(told, over.is_some(), "and so it is said");
        (left(&delta, &world, "built_already"), codes(&judged.diagnostics))
    };
    assert_eq!(built(&[]), (true, vec![]));
    assert_eq!(built(&[("constraint_type", text("u"))]), (false, vec!["index-name-taken"]));
}

#[test]
fn a_schema_or_tablespace_that_takes_nothing_is_foreseen() {
    let lacks = |finding: &str, name: &str| {
        row(&[("finding", text(finding)), ("oid", Cell::Null), ("schema", Cell::Null), ("name", text(name))])
    };
    let weights = [lacks("schema_privilege", "public"), lacks("tablespace_privilege", "fast")];
    let said = |world: &World, value: Json, op: Op| {
        let delta = world.delta(KIND, &value);
        codes(&KIND.judge(&delta, op, &weights, &world.view()).unwrap().diagnostics)
    };
    let fast = json!({"name": "ix", "columns": ["symbol"], "tablespace": "fast"});
    assert_eq!(said(&world(&[]), wanted("symbol"), Op::Create), ["no-privilege"]);
    assert_eq!(said(&world(&[]), fast.clone(), Op::Create), ["no-privilege"; 2]);
    let there = world(&[index(1, "ix", &[])]);
    assert_eq!(said(&there, wanted("venue"), Op::Replace), ["no-privilege"]);
    assert_eq!(said(&there, fast, Op::Update), ["no-privilege"], "moving needs the tablespace alone");
    let kept = world(&[index(1, "ix", &[("own_tablespace", Cell::Bool(true)), ("tablespace", text("fast"))])]);
    assert_eq!(said(&kept, wanted("venue"), Op::Replace), ["no-privilege"; 2]);
}

#[test]
fn an_index_goes_last_unless_something_needs_it_gone() {
    let last = |world: &World, other: &Delta| KIND.is_removed_last(&world.removal(KIND), &[other], &world.view());
    let old = [index(1, "old", &[])];
    let plain = world(&old);
    assert!(last(&plain, &plain.delta(KIND, &wanted("venue"))));
    let hyper = World::new("2.29.2", daily()).with(KIND, &old);
    assert!(last(&hyper, &hyper.delta(KIND, &wanted("venue"))));
    let mut alike = world(&[]).delta(KIND, &wanted("symbol"));
    assert!(last(&plain, &alike));
    assert!(!last(&hyper, &alike), "TimescaleDB would not tell them apart");
    alike.address.kind = crate::core::KindId::new("hypertable");
    assert!(!last(&plain, &alike), "a hypertable refuses some unique indexes");
}
