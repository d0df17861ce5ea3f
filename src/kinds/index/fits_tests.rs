//! What an older server refuses beside a columnstore, and what chunks lack, with rows made by hand.

use serde_json::json;

use super::{ID, Index, names, on_chunks};
use crate::core::{Cell, Row, Value};
use crate::kinds::fixture::{World, codes, daily, row, text};
use crate::kinds::{Kind, Relation};

fn with_columnstore(enabled: bool) -> Relation {
    let mut relation = daily();
    relation.hypertable =
        relation.hypertable.map(|hypertable| crate::kinds::Hypertable { columnstore: enabled, ..hypertable });
    relation
}

/// What is said of a unique index on such a server.
fn said(version: &str, enabled: bool, weights: &[Row]) -> Vec<&'static str> {
    let world = World::new(version, with_columnstore(enabled));
    let delta = world.delta(&Index, &json!({"name": "ix", "columns": ["symbol", "time"], "unique": true}));
    codes(&world.judge(&Index, &delta, weights).diagnostics)
}

#[test]
fn an_older_server_builds_no_unique_index_beside_a_columnstore() {
    let oid = i64::from(daily().oid);
    let in_columnstore = [row(&[("finding", text("in_columnstore")), ("oid", Cell::Int(oid))])];
    assert_eq!(said("2.14.2", true, &[]), ["needs-newer-server"]);
    assert_eq!(said("2.17.2", true, &[]), ["needs-newer-server"]);
    assert_eq!(said("2.17.2", false, &[]), [""; 0]);
    assert_eq!(said("2.18.0", true, &[]), [""; 0]);
    assert_eq!(said("2.18.2", true, &in_columnstore), ["needs-newer-server"]);
    assert_eq!(said("2.19.0", true, &in_columnstore), [""; 0]);
}

#[test]
fn a_columnstore_that_goes_is_no_obstacle() {
    let columnstore = crate::kinds::by_id(&crate::core::KindId::new("columnstore")).unwrap();
    let world = World::new("2.14.2", with_columnstore(true)).wanting(columnstore, &json!({"ensure": "absent"}));
    let delta = world.delta(&Index, &json!({"name": "ix", "columns": ["symbol", "time"], "unique": true}));
    assert_eq!(codes(&world.judge(&Index, &delta, &[]).diagnostics), [""; 0]);
}

#[test]
fn an_older_server_gets_its_unique_indexes_before_the_columnstore() {
    let columnstore = crate::kinds::by_id(&crate::core::KindId::new("columnstore")).unwrap();
    let needed = |version: &str, unique: bool| {
        let index = json!({"name": "ix", "columns": ["symbol", "time"], "unique": unique});
        let world = World::new(version, daily()).wanting(&Index, &index);
        let delta = world.delta(columnstore, &json!({"after": "7 days"}));
        columnstore.requires(&delta, &world.view()).len()
    };
    assert_eq!(needed("2.14.2", true), 1);
    assert_eq!(needed("2.18.2", true), 1);
    assert_eq!(needed("2.18.2", false), 0);
    assert_eq!(needed("2.19.0", true), 0);
}

/// A chunk, and what it has in place of the index.
type Chunk<'a> = (&'a str, Option<&'a str>);

/// An index of one key, with what some chunks lack.
fn lacking(chunks: &[Chunk<'_>]) -> Row {
    let list = |each: &dyn Fn(usize, &Chunk<'_>) -> Cell| {
        Cell::List(chunks.iter().enumerate().map(|(at, chunk)| each(at, chunk)).collect())
    };
    let number = |from: i64| move |at: usize, _: &Chunk<'_>| Cell::Int(from + i64::try_from(at).unwrap());
    row(&[
        ("oid", Cell::Int(9)),
        ("relation", Cell::Int(daily().oid.into())),
        ("name", text("ix")),
        ("method", text("btree")),
        ("is_unique", Cell::Bool(false)),
        ("nulls_not_distinct", Cell::Bool(false)),
        ("valid", Cell::Bool(true)),
        ("clustered", Cell::Bool(false)),
        ("replica_identity", Cell::Bool(false)),
        ("of_parent", Cell::Bool(false)),
        ("keys", Cell::Int(1)),
        ("own_tablespace", Cell::Bool(false)),
        ("tablespace", text("pg_default")),
        ("at", Cell::Int(1)),
        ("column", text("symbol")),
        ("option", Cell::Int(0)),
        ("default_opclass", Cell::Bool(true)),
        ("own_collation", Cell::Bool(true)),
        ("lacking_schemas", list(&|_, _| text("s"))),
        ("lacking_names", list(&|_, (name, _)| text(name))),
        ("lacking_oids", list(&number(100))),
        ("lacking_broken", list(&|_, (_, broken)| broken.map_or(Cell::Null, text))),
        ("lacking_broken_oids", list(&number(200))),
    ])
}

fn entry<'a>(item: &'a Value, name: &str) -> &'a Value {
    let Value::Map(entries) = item else { panic!("{item}") };
    &entries[name]
}

#[test]
fn what_chunks_lack_is_built_under_a_name_that_is_free() {
    let rows = [lacking(&[("c_1", None), ("c_2", Some("odd")), ("c_3", None)])];
    let world = World::new("2.22.0", daily()).with(&Index, &rows);
    let delta = world.delta(&Index, &json!({"name": "ix", "columns": ["symbol"]}));
    assert_eq!(delta.changes.len(), 1);
    let taken =
        [row(&[("finding", text("taken")), ("oid", Cell::Null), ("schema", text("s")), ("name", text("c_3_ix"))])];
    let items = on_chunks::items(&delta, &taken);
    let names: Vec<String> = items.iter().map(|item| entry(item, "name").to_string()).collect();
    assert_eq!(names, [names::on_chunk("c_1", "ix"), "odd".to_owned(), Value::Null.to_string()]);
    assert_eq!(entry(&items[1], "broken").to_string(), "s.odd");
    assert_eq!(entry(&items[0], "locks").to_string(), "s.c_1");
    // A plan does not name a thousand locks.
    let rows = [lacking(&[("c", None); 9])];
    let world = World::new("2.22.0", daily()).with(&Index, &rows);
    let delta = world.delta(&Index, &json!({"name": "ix", "columns": ["symbol"]}));
    assert_eq!(entry(&on_chunks::items(&delta, &[])[8], "locks").to_string(), "each of 9 chunks, one after another");
}

#[test]
fn what_an_older_server_would_not_attach_is_only_said() {
    let rows = [lacking(&[("c_1", None)])];
    let wanted = json!({"name": "ix", "columns": ["symbol"]});
    let world = World::new("2.21.4", daily()).with(&Index, &rows);
    let mut sink = Vec::new();
    let settled = Index.settle(&crate::kinds::fixture::desired(&Index, &wanted), &world.view(), &mut sink).unwrap();
    assert_eq!(codes(&sink), ["missing-on-chunks"]);
    assert!(!settled.attributes.contains_key("missing_on_chunks"));
    // Nothing of it is said of an index that is to be built anew anyway.
    let mut sink = Vec::new();
    let wanted = json!({"name": "ix", "columns": ["time"]});
    Index.settle(&crate::kinds::fixture::desired(&Index, &wanted), &world.view(), &mut sink).unwrap();
    assert_eq!(codes(&sink), [""; 0]);
    assert_eq!(settled.address.kind, ID);
}
