//! Reading, settling and weighing with rows made by hand.

use serde_json::json;

use super::{AFTER, ALL, ARCHIVED, Archive, DROP, TASK, TO};
use crate::core::{Address, Cell, ClosedBy, Desired, Ensure, Interval, Op, Operation, Row, Value};
use crate::kinds::archive_store::{self, ArchiveStore};
use crate::kinds::columnstore::Columnstore;
use crate::kinds::fixture::{World, codes, daily, desired, expand, on, place, row, table, text, ticking};
use crate::kinds::retention::Retention;
use crate::kinds::{Kind, Relations, backup};

const KIND: &dyn Kind = &Archive;

fn cold(drop: bool) -> serde_json::Value {
    json!({"to": "cold", "after": "60 days", "drop": drop})
}

fn chunk(number: i64, day: i64, frozen: bool, mark: Option<&str>) -> Row {
    row(&[
        ("schema", text("public")),
        ("name", text("trades")),
        ("chunk", Cell::Int(number)),
        ("chunk_schema", text("_timescaledb_internal")),
        ("chunk_name", text(&format!("_hyper_1_{number}_chunk"))),
        ("range_start", text(&format!("2026-01-0{day} 00:00:00+00"))),
        ("range_end", text(&format!("2026-01-0{} 00:00:00+00", day + 1))),
        ("frozen", Cell::Bool(frozen)),
        ("outlived", Cell::Bool(false)),
        ("mark", mark.map_or(Cell::Null, text)),
        ("bytes", Cell::Int(1000)),
    ])
}

/// That somebody has frozen one.
fn frozen(number: i64) -> Value {
    let name = format!("_timescaledb_internal._hyper_1_{number}_chunk");
    Value::List(vec![Value::texts(["frozen".to_owned(), name])])
}

fn none() -> Row {
    row(&[("schema", text("public")), ("name", text("trades")), ("chunk", Cell::Null)])
}

fn read(rows: &[Row]) -> crate::core::Live {
    KIND.read(rows, &Relations::new()).unwrap().remove(0)
}

fn world(rows: &[Row]) -> World {
    let mut world = World::new("2.23.0", daily());
    let mut store = Desired::new(Address::global(archive_store::ID, "cold"), None, place());
    store.set(archive_store::PATH, Value::text("/srv/archive"));
    store.set(archive_store::COMPRESSION, Value::text("zstd"));
    store.set(archive_store::ROW_GROUP, Value::Int(1024));
    world.desired.insert(store.address.clone(), store);
    let live = read(rows);
    world.live.insert(live.address.clone(), live);
    world
}

#[test]
fn a_section_that_drops_wants_no_retention_policy() {
    let (found, sink) = expand(KIND, &cold(true));
    assert_eq!(codes(&sink), Vec::<&str>::new());
    let [archive, retention] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(archive.get(TO), Some(&Value::text("cold")));
    assert_eq!(archive.get(AFTER), Some(&Value::Interval(Interval::days(60))));
    assert_eq!(archive.get(DROP), Some(&Value::Bool(true)));
    assert_eq!((retention.address.to_string().as_str(), retention.ensure), ("retention.public.trades", Ensure::Absent));
    assert_eq!(expand(KIND, &cold(false)).0.len(), 1);
    assert_eq!(codes(&expand(KIND, &json!({"to": "cold", "after": "0 days"})).1), ["bad-interval"]);
    assert_eq!(KIND.closed_by(), ClosedBy::Run(Operation::Archive));
}

#[test]
fn what_is_due_is_what_is_old_and_neither_archived_nor_frozen_by_somebody() {
    let of = |rows: &[Row]| read(rows).get(ARCHIVED).cloned();
    assert_eq!(of(&[none()]), Some(Value::text(ALL)));
    assert_eq!(of(&[chunk(1, 1, false, None)]), Some(Value::text("all but 1 chunk")));
    let several = [
        chunk(1, 1, false, None),
        chunk(2, 2, true, Some("Chronoform: being archived, 1-2")),
        chunk(3, 3, true, None),
        chunk(4, 4, false, Some("Chronoform: archived to cold")),
        chunk(5, 5, false, Some("somebody's note")),
    ];
    assert_eq!(of(&several), Some(Value::text("all but 3 chunks")));
    assert_eq!(read(&several).fact("alone"), Some(&frozen(3)));
}

#[test]
fn what_is_archived_and_has_stayed_is_due_again_once_chunks_are_dropped() {
    let archived = Some("Chronoform: archived to cold");
    let rows = [
        chunk(1, 1, false, archived),
        chunk(2, 2, false, None),
        chunk(3, 3, false, archived),
        chunk(4, 4, true, archived),
    ];
    let seen = |drop: bool| {
        let world = world(&rows).wanting(KIND, &cold(drop));
        let found = world.live.values().cloned().collect();
        let live = KIND.identify(found, &world.desired, &std::collections::BTreeMap::new()).remove(0);
        let due: Vec<i64> = live
            .fact("due")
            .unwrap()
            .as_list()
            .iter()
            .map(|chunk| {
                let Value::Map(entries) = chunk else { panic!() };
                entries["oid"].as_int().unwrap()
            })
            .collect();
        (live.get(ARCHIVED).unwrap().to_string(), due, live.fact("alone").cloned())
    };
    let held = Some(frozen(4));
    assert_eq!(seen(false), ("all but 1 chunk".to_owned(), vec![2], held.clone()));
    assert_eq!(
        seen(true),
        ("all but 3 chunks".to_owned(), vec![1, 2, 3], held),
        "in their order, and not what somebody froze"
    );
}

#[test]
fn what_a_backup_can_bring_back_is_not_dropped() {
    let with = |drop: bool, window: &str| {
        let archive = desired(KIND, &cold(drop));
        let mut backup = Desired::new(Address::global(backup::ID, "main"), None, place());
        backup.set(backup::KEEP_WAL, Value::Interval(Interval::parse(window).unwrap()));
        let mut store = desired(&ArchiveStore, &json!({"location": {"path": "/a"}}));
        store.address = Address::global(archive_store::ID, "cold");
        let all = [archive.clone(), backup, store].into_iter().map(|d| (d.address.clone(), d)).collect();
        let mut sink = Vec::new();
        KIND.check(&[&archive], &all, &mut sink);
        codes(&sink)
    };
    assert_eq!(with(true, "61 days"), ["policy-conflict"]);
    assert_eq!(with(true, "2 months"), ["policy-conflict"], "which can be 62 days");
    assert_eq!(with(true, "60 days"), Vec::<&str>::new());
    assert_eq!(with(false, "61 days"), Vec::<&str>::new(), "nothing is dropped");
}

#[test]
fn ranges_go_whole_and_carry_what_the_work_needs() {
    let rows = [chunk(1, 1, false, None), chunk(2, 1, false, None), chunk(3, 2, false, None)];
    let world = world(&rows).wanting(KIND, &cold(true));
    let delta = world.delta(KIND, &cold(true));
    let items = KIND.items("archive/frozen.sql", &delta, &[], &world.view()).unwrap().unwrap();
    assert_eq!(items.len(), 2);
    let task = KIND.task(&items[0]).unwrap();
    assert_eq!((task.name.as_str(), task.arguments["chunks"].as_list().len()), (TASK, 2));
    assert_eq!(task.arguments["path"], Value::text("/srv/archive"));
    assert_eq!(task.arguments["until"], Value::text("2026-01-02 00:00:00+00"));
    let impact = KIND.judge(&delta, Op::Update, &[], &world.view()).unwrap().impact.unwrap();
    assert_eq!((impact.chunks, impact.bytes.map(|bytes| bytes.0)), (Some(3), Some(3000)));
    assert_eq!(impact.newest.as_deref(), Some("2026-01-03 00:00:00+00"));
}

#[test]
fn the_work_carries_where_a_bucket_is_and_no_secret() {
    let bucket = json!({"bucket": "b", "endpoint": "e", "region": "r", "key": "${env.A}", "secret_file": "/s"});
    let mut store = desired(&ArchiveStore, &json!({"location": {"s3": bucket}}));
    store.address = Address::global(archive_store::ID, "cold");
    let mut world = world(&[chunk(1, 1, false, None)]);
    world.desired.insert(store.address.clone(), store.clone());
    let world = world.wanting(KIND, &cold(true));
    let delta = world.delta(KIND, &cold(true));
    let items = KIND.items("archive/frozen.sql", &delta, &[], &world.view()).unwrap().unwrap();
    let arguments = KIND.task(&items[0]).unwrap().arguments;
    assert_eq!(arguments.get("s3"), store.get(archive_store::S3));
    assert!(!arguments.contains_key("path"));
    let Value::Map(bucket) = &arguments["s3"] else { panic!() };
    assert_eq!(bucket["key"], Value::text("${env.A}"));
}

#[test]
fn retention_beside_an_archive_is_refused() {
    let mut live = crate::core::Live::new(Address::in_schema(crate::core::KindId::new("retention"), &on()), Some(on()));
    live.set("drop_after", Value::Interval(Interval::days(90)));
    let mut world = world(&[none()]);
    world.live.insert(live.address.clone(), live);
    assert_eq!(world.settle(KIND, &cold(false)), Err(vec!["drops-unarchived"]));
    assert_eq!(world.settle(KIND, &cold(true)), Err(vec![]), "apply removes it first");
    assert!(World::new("2.23.0", table()).settle(KIND, &cold(true)) == Err(vec!["needs-hypertable"]));
    assert_eq!(World::new("2.23.0", ticking(None)).settle(KIND, &cold(true)), Err(vec!["wrong-type"]));
    // UUIDs of version 7 are in the order of time, and are none.
    let mut uuids = daily();
    for column in uuids.columns.iter_mut().filter(|column| column.name == "time") {
        (column.base_type, column.type_name) = (2950, "uuid".to_owned());
    }
    assert_eq!(World::new("2.23.0", uuids).settle(KIND, &cold(true)), Err(vec!["cannot-be-archived"]));
}

#[test]
fn what_an_aggregate_goes_on_reading_is_not_dropped() {
    let mut world = world(&[none()]);
    let live = world.live.values_mut().next().unwrap();
    let reader =
        |back: Value| Value::List(vec![Value::List(vec![Value::text("public.hourly"), Value::text("1000"), back])]);
    live.set_fact("refreshed", reader(Value::Null));
    assert_eq!(world.settle(KIND, &cold(true)), Err(vec!["policy-conflict"]));
    assert!(world.settle(KIND, &cold(false)).is_ok());
    let mut looks = |back: &str| {
        let live = world.live.values_mut().next().unwrap();
        live.set_fact("refreshed", reader(Value::Interval(Interval::parse(back).unwrap())));
        world.settle(KIND, &cold(true)).is_err()
    };
    assert!(looks("61 days") && !looks("60 days"));
    assert!(looks("2 months"), "which can be 62 days");
}

#[test]
fn what_policies_say_together() {
    let archive = desired(KIND, &cold(false));
    let check = |others: Vec<Desired>| {
        let all = others.into_iter().chain([archive.clone()]).map(|d| (d.address.clone(), d)).collect();
        let mut sink = Vec::new();
        KIND.check(&[&archive], &all, &mut sink);
        codes(&sink)
    };
    let mut store = desired(&ArchiveStore, &json!({"location": {"path": "/a"}}));
    store.address = Address::global(archive_store::ID, "cold");
    assert_eq!(check(vec![]), ["unknown-store"]);
    assert_eq!(check(vec![store.clone()]), Vec::<&str>::new());
    let retention = desired(&Retention, &json!({"drop_after": "90 days"}));
    assert_eq!(check(vec![store.clone(), retention]), ["drops-unarchived"]);
    let columnstore = desired(&Columnstore, &json!({"after": "90 days"}));
    assert_eq!(check(vec![store, columnstore]), Vec::<&str>::new(), "nothing is dropped");
}

#[test]
fn what_comes_meanwhile_is_left_and_what_should_have_gone_is_not() {
    let planned = [chunk(1, 1, false, None), chunk(2, 2, false, None)];
    let steps = |freezes: bool| -> Vec<crate::core::Step> {
        let world = world(&planned).wanting(KIND, &cold(true));
        let delta = world.delta(KIND, &cold(true));
        let items = KIND.items("archive/frozen.sql", &delta, &[], &world.view()).unwrap().unwrap();
        let step = |item: &Value| {
            let mut task = KIND.task(item).unwrap();
            task.arguments.insert("freezes".to_owned(), Value::Bool(freezes));
            crate::core::Step { sql: String::new(), transactional: false, lock: None, separate: true, task: Some(task) }
        };
        items.iter().map(step).collect()
    };
    let left = |freezes: bool, rows: &[Row]| KIND.left(&steps(freezes), &read(rows)).map(|said| said.message);
    for freezes in [true, false] {
        assert_eq!(left(freezes, &[none()]), None);
        let came = left(freezes, &[chunk(3, 3, false, None)]).unwrap();
        assert_eq!(came, "1 chunk of public.trades came to be due while others were archived");
    }
    let both = [chunk(2, 2, false, None), chunk(3, 3, false, None)];
    assert_eq!(left(true, &both), None, "nobody can have written to it");
    assert!(left(false, &both).unwrap().starts_with("1 chunk of public.trades was written to"));
}
