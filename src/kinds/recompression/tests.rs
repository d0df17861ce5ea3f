//! Reading, settling and weighing with rows made by hand.

use serde_json::json;

use super::{ALL, CONVERGED, ID, Recompression};
use crate::core::{Address, Cell, ClosedBy, Operation, Row, Value};
use crate::kinds::columnstore::Columnstore;
use crate::kinds::fixture::{World, daily, expand, on, row, text, texts};
use crate::kinds::{Kind, Relations, Scope};

const KIND: &dyn Kind = &Recompression;

/// A row of `observe.sql`: the table's, or that of so many chunks.
fn group(chunks: Option<i64>, segment_by: &[&str]) -> Row {
    row(&[
        ("id", Cell::Int(5)),
        ("schema", text("public")),
        ("name", text("trades")),
        ("chunks", chunks.map_or(Cell::Null, Cell::Int)),
        ("segmentby", texts(segment_by)),
    ])
}

fn chunk(number: i64, segment_by: &[&str]) -> Row {
    row(&[
        ("hypertable_id", Cell::Int(5)),
        ("oid", Cell::Int(number)),
        ("schema", text("_timescaledb_internal")),
        ("name", text(&format!("_hyper_1_{number}_chunk"))),
        ("bytes", Cell::Int(1000)),
        ("bytes_as_rows", Cell::Int(9000 + number)),
        ("range_start", text(&format!("2026-01-0{number} 00:00:00+00"))),
        ("range_end", text(&format!("2026-01-0{} 00:00:00+00", number + 1))),
        ("segmentby", texts(segment_by)),
    ])
}

fn converged(rows: &[Row]) -> Option<Value> {
    KIND.read(rows, &Relations::new()).unwrap().first().and_then(|live| live.get(CONVERGED).cloned())
}

#[test]
fn it_is_told_how_many_chunks_have_the_settings_of_their_table() {
    let table = group(None, &["symbol"]);
    let some = [table.clone(), group(Some(9), &["venue"]), group(Some(3), &["symbol"])];
    assert_eq!(converged(&some), Some(Value::text("3 of 12 chunks")));
    assert_eq!(converged(&[table.clone(), group(Some(3), &["symbol"])]), Some(Value::text(ALL)));
    assert_eq!(converged(&[table]), Some(Value::text(ALL)));
    // The columnstore is disabled by now.
    assert_eq!(converged(&[group(Some(3), &["symbol"])]), None);
}

#[test]
fn what_is_left_to_timescaledb_is_not_compared() {
    let table = row(&[("id", Cell::Int(5)), ("schema", text("public")), ("name", text("trades"))]);
    assert_eq!(converged(&[table, group(Some(9), &["venue"])]), Some(Value::text(ALL)));
}

#[test]
fn it_is_asked_for_only_where_a_policy_does() {
    let server = &World::new("2.23.0", daily()).server;
    let mut scope = Scope { hypertables: vec![(7, 5)], ..Scope::default() };
    assert!(KIND.observe(server, &scope).is_none());
    scope.kinds.insert(ID);
    assert!(KIND.observe(server, &scope).is_some());
}

#[test]
fn the_columnstores_section_asks_for_it() {
    let found = |converge: &str| {
        let value = json!({"segment_by": ["symbol"], "converge": converge});
        let (found, _) = expand(&Columnstore, &value);
        found.into_iter().map(|desired| desired.address).collect::<Vec<_>>()
    };
    assert_eq!(found("new").len(), 1);
    assert_eq!(found("existing")[1], Address::in_schema(ID, &on()));
    assert_eq!(KIND.closed_by(), ClosedBy::Run(Operation::Maintenance));
}

/// A table whose columnstore is segmented by `live`, and a policy that wants `symbol`.
fn world(live: &[&str]) -> World {
    let columnstore = row(&[
        ("schema", text("public")),
        ("name", text("trades")),
        ("enabled", Cell::Bool(true)),
        ("segmentby", texts(live)),
    ]);
    let value = json!({"segment_by": ["symbol"], "converge": "existing"});
    let mut world = World::new("2.23.0", daily())
        .with(&Columnstore, &[columnstore])
        .with(KIND, &[group(None, live), group(Some(2), &["venue"]), group(Some(1), live)]);
    for desired in expand(&Columnstore, &value).0 {
        world.desired.insert(desired.address.clone(), desired);
    }
    world
}

#[test]
fn it_waits_for_the_columnstores_own_change() {
    let settled = |live: &[&str]| {
        let world = world(live);
        let desired = world.desired[&Address::in_schema(ID, &on())].clone();
        KIND.settle(&desired, &world.view(), &mut Vec::new())
    };
    assert!(settled(&["symbol"]).is_some());
    assert!(settled(&["venue"]).is_none());
}

#[test]
fn each_chunk_that_is_behind_is_an_item_the_newest_first() {
    let world = world(&["symbol"]);
    let address = Address::in_schema(ID, &on());
    let mut delta = world.removal(KIND);
    delta.desired = world.desired.get(&address).cloned();
    let weights = [chunk(3, &["venue"]), chunk(2, &["symbol"]), chunk(1, &["venue"])];
    let items = KIND.items("", &delta, &weights, &world.view()).unwrap().unwrap();
    let shown: Vec<String> = items.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["{chunk: _timescaledb_internal._hyper_1_3_chunk}", "{chunk: _timescaledb_internal._hyper_1_1_chunk}"]
    );
    let impact = KIND.judge(&delta, crate::core::Op::Update, &weights, &world.view()).unwrap().impact.unwrap();
    assert_eq!((impact.chunks, impact.bytes.map(|bytes| bytes.0)), (Some(2), Some(2000)));
    assert_eq!(impact.oldest.as_deref(), Some("2026-01-01 00:00:00+00"));
    assert_eq!(impact.newest.as_deref(), Some("2026-01-04 00:00:00+00"));
    assert_eq!(impact.notes[0], "1 of 3 chunks converged");
    assert!(impact.notes[1].contains("9.8 kB") || impact.notes[1].contains("10"), "{}", impact.notes[1]);
}
