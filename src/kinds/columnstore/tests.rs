//! Settling, reading, weighing and judging with a server, a table and rows made by hand.

use serde_json::{Value as Json, json};

use super::Columnstore;
use crate::core::{Bytes, Cell, Ensure, Hazard, Interval, Param, Row, Value};
use crate::kinds::fixture::{World, codes, daily, desired, expand, job_row, row, table, text, texts, ticking};
use crate::kinds::hypertable::Hypertable;
use crate::kinds::{Kind, Scope};

const KIND: &dyn Kind = &Columnstore;
const NEWEST: &str = "2.29.2";

fn bools(values: &[bool]) -> Cell {
    Cell::List(values.iter().map(|value| Cell::Bool(*value)).collect())
}

/// Settings as the catalog shows them: segmented by symbol, ordered by time from the newest.
fn settings() -> [(&'static str, Cell); 5] {
    [
        ("enabled", Cell::Bool(true)),
        ("segmentby", texts(&["symbol"])),
        ("orderby", texts(&["time"])),
        ("orderby_desc", bools(&[true])),
        ("orderby_nullsfirst", bools(&[true])),
    ]
}

/// A columnstore with these settings, and a policy after so many days where there is one.
fn live(after: Option<i32>) -> Row {
    let mut cells = settings().to_vec();
    match after {
        Some(days) => cells.push(("after", Cell::Interval(Interval::days(days)))),
        None => cells.push(("job_id", Cell::Null)),
    }
    job_row(&cells)
}

/// Chunks that are in the columnstore with these settings.
fn holds(chunks: i64) -> Row {
    let mut cells = settings()[1..].to_vec();
    cells.extend([("what", text("holds")), ("oid", Cell::Int(7)), ("chunks", Cell::Int(chunks))]);
    cells.extend([("bytes", Cell::Int(8192)), ("bytes_as_rows", Cell::Int(81920))]);
    row(&cells)
}

fn finds(what: &str, name: &str) -> Row {
    row(&[("what", text(what)), ("oid", Cell::Int(7)), ("name", text(name)), ("chunks", Cell::Int(4))])
}

fn shown(value: Option<&Value>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn refused(value: Json) -> Vec<&'static str> {
    codes(&expand(KIND, &value).1)
}

#[test]
fn a_section_becomes_attributes_with_their_types() {
    let wanted = desired(
        KIND,
        &json!({
            "after": "7 days", "segment_by": ["symbol", "Odd name"],
            "order_by": ["time desc", {"column": "price", "nulls": "first"}],
            "sparse_index": [{"minmax": "fee"}, {"bloom": ["venue", "doc"]}], "schedule": {"paused": true},
        }),
    );
    assert_eq!(wanted.get("enabled"), Some(&Value::Bool(true)));
    assert_eq!(wanted.get("after"), Some(&Value::Interval(Interval::days(7))));
    assert_eq!(wanted.get("created_before"), None);
    assert_eq!(wanted.get("segment_by"), Some(&Value::texts(["symbol", "Odd name"])));
    assert_eq!(shown(wanted.get("order_by")), "time desc, price nulls first");
    assert_eq!(shown(wanted.get("sparse_index")), "{minmax: fee}, {bloom: venue, doc}");
    assert_eq!(desired(KIND, &json!({"after": 500})).get("after"), Some(&Value::Int(500)));
    let absent = desired(KIND, &json!({"ensure": "absent"}));
    assert_eq!((absent.ensure, absent.attributes.len()), (Ensure::Absent, 0));
}

#[test]
fn without_an_age_that_there_is_no_policy_is_the_wish() {
    let wanted = desired(KIND, &json!({}));
    assert_eq!((wanted.get("after"), wanted.get("created_before")), (Some(&Value::Null), Some(&Value::Null)));
    let world = World::new(NEWEST, daily()).with(KIND, &[live(None)]);
    assert_eq!(world.delta(KIND, &json!({})).changes, []);
    let world = World::new(NEWEST, daily()).with(KIND, &[live(Some(7))]);
    let delta = world.delta(KIND, &json!({}));
    assert_eq!(delta.changes.iter().map(|change| change.attribute.as_str()).collect::<Vec<_>>(), ["after"]);
}

#[test]
fn offline_what_contradicts_itself_is_told() {
    assert_eq!(refused(json!({"after": "1 day", "created_before": "1 day"})), ["wrong-value"]);
    assert_eq!(refused(json!({"schedule": {"every": "1 day"}})), ["missing-key"]);
    assert_eq!(refused(json!({"segment_by": ["a", "a"]})), ["wrong-value"]);
    assert_eq!(refused(json!({"segment_by": ["a"], "order_by": ["b", "a desc"]})), ["wrong-value"]);
    assert_eq!(refused(json!({"order_by": [{"expression": "lower(a)"}]})), ["wrong-value"]);
    assert_eq!(refused(json!({"order_by": [{"column": "a", "collation": "C"}]})), ["wrong-value"]);
    assert_eq!(refused(json!({"order_by": ["lower(a)"]})), ["wrong-value"]);
    assert_eq!(refused(json!({"sparse_index": [{"bloom": "a"}]})), ["missing-key"]);
    let sparse = |list: Json| refused(json!({"segment_by": ["s"], "order_by": ["t"], "sparse_index": list}));
    assert_eq!(sparse(json!([{"bloom": "s"}])), ["wrong-value"]);
    assert_eq!(sparse(json!([{"bloom": "a"}, {"minmax": "a"}])), ["wrong-value"]);
    assert_eq!(sparse(json!([{"bloom": ["a", "b"]}, {"bloom": ["b", "a"]}])), ["wrong-value"]);
    assert_eq!(sparse(json!([{"bloom": ["a", "a"]}])), ["wrong-value"]);
    assert_eq!(sparse(json!([{"bloom": ["a", "b"]}, {"bloom": "a"}, {"minmax": "t"}])), Vec::<&str>::new());
    assert_eq!(refused(json!({"segment_by": ["x".repeat(64)]})), ["bad-name"]);
}

#[test]
fn the_time_column_is_added_to_the_order_as_the_server_adds_it() {
    let order = |world: &World, section: Json| shown(world.settle(KIND, &section).unwrap().get("order_by"));
    let world = World::new(NEWEST, daily());
    assert_eq!(order(&world, json!({"order_by": ["price"]})), "price, time desc");
    assert_eq!(order(&world, json!({"order_by": ["price", "time"]})), "price, time");
    assert_eq!(order(&world, json!({"order_by": ["price"], "segment_by": ["time"]})), "price");
    assert_eq!(order(&world, json!({"segment_by": ["symbol"]})), "");
    // An unwritten segmentation is the live one.
    let by_time = job_row(&[("enabled", Cell::Bool(true)), ("segmentby", texts(&["time"])), ("job_id", Cell::Null)]);
    let live = World::new(NEWEST, daily()).with(KIND, &[by_time]);
    assert_eq!(order(&live, json!({"order_by": ["price"]})), "price");
    let ticks = World::new(NEWEST, ticking(None));
    assert_eq!(order(&ticks, json!({"order_by": ["price"]})), "price, tick desc");
    let becoming = World::new(NEWEST, table()).wanting(&Hypertable, &json!({"time_column": "time"}));
    assert_eq!(order(&becoming, json!({"order_by": ["price"]})), "price, time desc");
}

#[test]
fn columns_must_be_there_and_fit() {
    let world = World::new(NEWEST, daily());
    let settle = |section: Json| world.settle(KIND, &section).err().unwrap_or_default();
    assert_eq!(settle(json!({"segment_by": ["symbl"], "order_by": ["Time"]})), ["unknown-column", "unknown-column"]);
    assert_eq!(settle(json!({"segment_by": ["doc"]})), ["wrong-value"]);
    assert_eq!(settle(json!({"order_by": ["doc"]})), ["wrong-value"]);
    let sparse = |list: Json| settle(json!({"order_by": ["time"], "sparse_index": list}));
    assert_eq!(sparse(json!([{"bloom": "fee"}])), ["wrong-value"]);
    assert_eq!(sparse(json!([{"minmax": "fee"}])), Vec::<&str>::new());
    assert_eq!(sparse(json!([{"minmax": "doc"}])), ["wrong-value"]);
    assert_eq!(sparse(json!([{"bloom": "nowhere"}])), ["unknown-column"]);
    // What the policy leaves as it is cannot be taken for another part.
    let live = World::new(NEWEST, daily()).with(KIND, &[live(None)]);
    assert_eq!(live.settle(KIND, &json!({"segment_by": ["time"]})), Err(vec!["wrong-value"]));
    assert_eq!(live.settle(KIND, &json!({"order_by": ["symbol"]})), Err(vec!["wrong-value"]));
    assert!(live.settle(KIND, &json!({"segment_by": ["time"], "order_by": ["symbol"]})).is_ok());
}

#[test]
fn versions_without_a_setting_say_so() {
    let sparse = |version: &str, list: Json| {
        let section = json!({"order_by": ["time"], "sparse_index": list});
        World::new(version, daily()).settle(KIND, &section).err().unwrap_or_default()
    };
    assert_eq!(sparse("2.21.4", json!([])), ["needs-newer-server"]);
    assert_eq!(sparse("2.22.0", json!([{"bloom": "venue"}])), Vec::<&str>::new());
    assert_eq!(sparse("2.25.2", json!([{"bloom": ["venue", "symbol"]}])), ["needs-newer-server"]);
    assert_eq!(sparse("2.26.0", json!([{"bloom": ["venue", "symbol"]}])), Vec::<&str>::new());
    assert_eq!(sparse("2.28.3", json!([{"firstlast": "price"}])), ["needs-newer-server"]);
    assert_eq!(sparse("2.29.0", json!([{"firstlast": "price"}])), Vec::<&str>::new());
}

#[test]
fn sparse_indexes_are_the_same_in_any_order() {
    let settled = |list: Json| {
        let section = json!({"order_by": ["time"], "sparse_index": list});
        World::new(NEWEST, daily()).settle(KIND, &section).unwrap()
    };
    let one = settled(json!([{"minmax": "price"}, {"bloom": ["venue", "symbol"]}]));
    let other = settled(json!([{"bloom": ["symbol", "venue"]}, {"minmax": "price"}]));
    assert_eq!(one.get("sparse_index"), other.get("sparse_index"));
    assert_eq!(shown(one.get("sparse_index")), "{bloom: symbol, venue}, {minmax: price}");
    let index = r#"[{"type": "minmax", "column": "price", "source": "config"},
        {"type": "bloom", "column": ["symbol", "venue"], "source": "config"},
        {"type": "minmax", "column": "time", "source": "orderby"}]"#;
    let mut cells = settings().to_vec();
    cells.extend([("index", text(index)), ("job_id", Cell::Null)]);
    let live = KIND.read(&[job_row(&cells)], &Default::default()).unwrap().remove(0);
    assert_eq!(live.get("sparse_index"), one.get("sparse_index"));
}

#[test]
fn only_what_somebody_chose_is_read() {
    let sparse = |index: &str| {
        let cells = [("enabled", Cell::Bool(true)), ("index", text(index)), ("job_id", Cell::Null)];
        let live = KIND.read(&[job_row(&cells)], &Default::default()).unwrap().remove(0);
        assert_eq!((live.get("segment_by"), live.get("order_by")), (None, None));
        live.get("sparse_index").cloned()
    };
    assert_eq!(sparse(r#"[{"source": "config"}]"#), Some(Value::List(Vec::new())));
    assert_eq!(sparse(r#"[{"type": "minmax", "column": "time", "source": "orderby"}]"#), None);
    assert_eq!(sparse(r#"[{"type": "bloom", "column": "a", "source": "default"}]"#), None);
}

#[test]
fn a_job_is_read_as_the_server_goes_by_it() {
    let week = Cell::Interval(Interval::days(7));
    let both = job_row(&[("enabled", Cell::Bool(true)), ("after", week.clone()), ("created_before", week)]);
    let found = KIND.read(&[both], &Default::default()).unwrap().remove(0);
    assert_eq!((shown(found.get("after")).as_str(), found.get("created_before")), ("7 days", None), "row time wins");
    let number = job_row(&[("enabled", Cell::Bool(false)), ("after_integer", Cell::Int(500))]);
    let left = KIND.read(&[number], &Default::default()).unwrap().remove(0);
    assert_eq!((left.get("enabled"), left.get("after")), (Some(&Value::Bool(false)), Some(&Value::Int(500))));
    assert_eq!(left.fact("job_id"), Some(&Value::Int(1000)));
    let none = KIND.read(&[live(None)], &Default::default()).unwrap().remove(0);
    assert_eq!((none.fact("job_id"), none.get("schedule.every")), (None, None));
}

#[test]
fn the_catalog_is_read_as_the_version_has_it() {
    let scope = Scope { hypertables: vec![(7, 1)], ..Scope::default() };
    let query = |version: &str| KIND.observe(&World::new(version, daily()).server, &scope).unwrap();
    assert!(query("2.21.4").sql.contains("NULL::text AS index"));
    assert!(query("2.22.0").sql.contains("s.index::text AS index"));
    assert_eq!(query("2.22.0").params[2], Param::Int(222));
    assert!(query("2.24.0").sql.contains("_timescaledb_config.bgw_job"));
    assert!(query("2.29.0").sql.contains("_timescaledb_catalog.bgw_job"));
}

#[test]
fn chunks_that_a_first_run_compresses_are_counted() {
    let world = World::new(NEWEST, daily()).with(KIND, &[live(Some(90))]);
    let sooner = world.delta(KIND, &json!({"after": "7 days"}));
    let query = KIND.weigh(&[&sooner], &world.view()).unwrap();
    assert_eq!(query.params[1], Param::texts(["7 days"]));
    assert!(!query.sql.replace("'{}'", "").contains(['{', '}']), "{}", query.sql);
    let converts = finds("converts", "");
    let judgement = world.judge(KIND, &sooner, &[converts]);
    assert_eq!(judgement.hazards, []);
    let impact = judgement.impact.unwrap();
    assert_eq!((impact.verb.as_str(), impact.chunks), ("compresses", Some(4)));
    let paused = world.delta(KIND, &json!({"after": "7 days", "schedule": {"paused": true}}));
    assert_eq!(KIND.weigh(&[&paused], &world.view()).unwrap().params[0], Param::Oids(vec![]));
}

#[test]
fn what_keeps_the_old_settings_is_said() {
    let world = World::new(NEWEST, daily()).with(KIND, &[live(None)]);
    let note = |section: Json, weights: &[Row]| {
        let judgement = world.judge(KIND, &world.delta(KIND, &section), weights);
        judgement.impact.map(|impact| impact.notes.join("; ")).unwrap_or_default()
    };
    let changed = json!({"segment_by": ["venue"]});
    let expected = "3 of 3 compressed chunks keep the old settings until they are recompressed";
    assert_eq!(note(changed.clone(), &[holds(3)]), expected);
    assert_eq!(note(changed, &[]), "");
    // Converted by hand with what the policy now asks for.
    let mut newer = settings()[1..].to_vec();
    newer[0] = ("segmentby", texts(&["venue"]));
    newer.extend([("what", text("holds")), ("oid", Cell::Int(7)), ("chunks", Cell::Int(2))]);
    let some = note(json!({"segment_by": ["venue"]}), &[holds(3), row(&newer)]);
    assert_eq!(some, "3 of 5 compressed chunks keep the old settings until they are recompressed");
    assert_eq!(note(json!({"after": "7 days"}), &[holds(3)]), "");
}

#[test]
fn going_back_to_rows_is_a_hazard_only_where_there_is_something_to_convert() {
    let world = World::new(NEWEST, daily()).with(KIND, &[live(Some(7))]);
    let removal = world.removal(KIND);
    let judgement = world.judge(KIND, &removal, &[holds(3), holds(2)]);
    assert_eq!(judgement.hazards, [Hazard::RewritesTable, Hazard::BlocksWrites, Hazard::BlocksReads]);
    let impact = judgement.impact.unwrap();
    assert_eq!((impact.verb.as_str(), impact.chunks), ("decompresses", Some(5)));
    assert_eq!(impact.bytes, Some(Bytes(163_840)));
    let nothing = world.judge(KIND, &removal, &[]);
    assert_eq!((nothing.hazards.len(), nothing.impact), (0, None));
}

#[test]
fn obstacles_are_errors_of_the_plan() {
    let mut world = World::new(NEWEST, daily());
    let create = world.delta(KIND, &json!({"after": "7 days"}));
    assert_eq!(KIND.weigh(&[&create], &world.view()).unwrap().params[6], Param::Oids(vec![7]));
    for what in ["row security", "exclusion constraint", "delete trigger"] {
        let judgement = world.judge(KIND, &create, &[finds(what, "x")]);
        assert_eq!(codes(&judgement.diagnostics), ["columnstore-unsupported"], "{what}");
    }
    world.relations.values_mut().for_each(|relation| relation.owned = false);
    assert_eq!(codes(&world.judge(KIND, &create, &[]).diagnostics), ["no-privilege"]);
}

#[test]
fn an_age_is_counted_as_the_table_counts_time() {
    assert_eq!(World::new(NEWEST, daily()).settle(KIND, &json!({"after": 7})), Err(vec!["wrong-type"]));
    let ticks = World::new(NEWEST, ticking(Some("now")));
    assert_eq!(ticks.settle(KIND, &json!({"after": "7 days"})), Err(vec!["wrong-type"]));
    assert_eq!(ticks.settle(KIND, &json!({"created_before": "7 days"})), Err(vec!["no-integer-now"]));
    assert!(ticks.settle(KIND, &json!({"after": 7})).is_ok());
    assert!(ticks.settle(KIND, &json!({})).is_ok(), "no policy, and so no age");
    let without = World::new(NEWEST, ticking(None));
    assert_eq!(without.settle(KIND, &json!({"after": 7})), Err(vec!["no-integer-now"]));
    assert!(without.settle(KIND, &json!({"created_before": "7 days"})).is_ok());
}

#[test]
fn a_setting_can_be_left_to_timescaledb_where_it_can_be_reset() {
    let every = json!({"segment_by": "auto", "order_by": "auto", "sparse_index": "auto"});
    let wanted = desired(KIND, &every);
    assert!(super::SETTINGS.iter().all(|name| wanted.get(name) == Some(&Value::text("auto"))));
    assert_eq!(refused(json!({"order_by": "auto", "sparse_index": [{"bloom": "a"}]})), ["missing-key"]);
    let on = |version: &str| World::new(version, daily()).settle(KIND, &json!({"order_by": "auto"}));
    assert_eq!(on("2.21.0").unwrap_err(), ["needs-newer-server"]);
    // TimescaleDB adds no time column to what it chooses itself.
    assert_eq!(on("2.22.0").unwrap().get("order_by"), Some(&Value::text("auto")));

    let world = World::new(NEWEST, daily()).with(KIND, &[live(None)]);
    let delta = world.delta(KIND, &json!({"segment_by": "auto"}));
    let context = KIND.context(&delta, &world.view());
    assert_eq!(
        (shown(context.get("reset")), context.get("sets")),
        ("timescaledb.segmentby".to_owned(), Some(&false.into()))
    );
    let judged = world.judge(KIND, &delta, &[holds(3)]);
    let notes = judged.impact.unwrap().notes;
    assert_eq!(notes[0], "segment_by is TimescaleDB's own choice again");
    assert!(notes[1].starts_with("3 of 3 compressed chunks keep the old settings"), "{notes:?}");
    // What is reset already needs nothing, and an import does not write it.
    let mut open = world.live.values().next().unwrap().clone();
    open.attributes.remove("segment_by");
    super::settings::name_choices(&mut open, &wanted);
    assert_eq!(shown(open.get("segment_by")), "auto");
    assert!(!format!("{:?}", KIND.export(&open, &world.view())).contains("auto"));
}
