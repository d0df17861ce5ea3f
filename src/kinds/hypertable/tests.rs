//! Settling, reading and judging with a server, relations and rows made by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::core::{Cell, Edition, Hazard, Interval, Place, QualifiedName, Reason, Timescale};
use crate::diag::{Diagnostic, Places};
use crate::kinds::view::types;
use crate::kinds::{Canon, Column, Dimension, Head, Hypertable as Shape, Relation, RelationKind, SectionInput};

fn place() -> Place {
    Place { file: "p.yaml".into(), line: 3, column: 1, start: 0, end: 1, via: None }
}

fn on() -> QualifiedName {
    QualifiedName::new("public", "trades")
}

fn expand(value: Json) -> (Vec<Desired>, Vec<Diagnostic>) {
    let head = Head {
        document: "table",
        name: "trades".to_owned(),
        relation: on(),
        protect: false,
        skip_missing: false,
        moved_from: None,
        place: place(),
    };
    let places = Places::new(place());
    let mut sink = Vec::new();
    let input = SectionInput { head: &head, value: &value, places: &places, pointer: "/hypertable" };
    let found = desired::expand(&input, &mut sink);
    (found, sink)
}

fn desired(value: Json) -> Desired {
    let (mut found, sink) = expand(value);
    assert_eq!(codes(&sink), Vec::<&str>::new());
    found.remove(0)
}

fn codes(sink: &[Diagnostic]) -> Vec<&'static str> {
    sink.iter().map(|diagnostic| diagnostic.code.name).collect()
}

fn server(version: Option<&str>) -> Server {
    Server {
        host: "h".into(),
        port: 1,
        database: "db".into(),
        system_identifier: "1".into(),
        database_oid: 1,
        version_text: "17.5".into(),
        version: Version::new(17, 5),
        timescaledb: version.map(|version| Timescale {
            version_text: version.into(),
            version: version.parse().unwrap(),
            edition: Edition::Community,
            license: "timescale".into(),
            schema: "public".into(),
        }),
        timescaledb_available: true,
        user: "me".into(),
        superuser: false,
        read_only: false,
        single_session: false,
        now_micros: 0,
    }
}

fn column(name: &str, type_name: &str, base_type: u32) -> Column {
    Column { name: name.into(), type_name: type_name.into(), base_type, not_null: true }
}

fn table() -> Relation {
    Relation {
        oid: 7,
        name: on(),
        kind: RelationKind::Table,
        columns: vec![
            column("time", "timestamp(3) with time zone", types::TIMESTAMPTZ),
            column("day", "date", types::DATE),
            column("tick", "integer", types::INT4),
            column("at", "app.moment", types::TIMESTAMPTZ),
            column("symbol", "text", 25),
            column("venue", "text", 25),
            column("doc", "json", 114),
            column("id", "uuid", 2950),
        ],
        hypertable: None,
        stored: crate::kinds::Stored::Itself,
        has_pages: true,
        owner: "owner".into(),
        owned: true,
        owner_logs_in: true,
        coming: None,
    }
}

fn dimension(column: &str) -> Dimension {
    Dimension {
        column: column.into(),
        interval: None,
        integer_interval: None,
        integer_now: None,
        inherits_now: false,
        present: None,
        partitions: None,
    }
}

fn live_table(dimensions: Vec<Dimension>) -> Relation {
    let shape = Shape { id: 5, dimensions, columnstore: false, chunks: 3, begun: false };
    Relation { hypertable: Some(shape), ..table() }
}

fn daily() -> Relation {
    live_table(vec![
        Dimension { interval: Some(Interval::days(1)), ..dimension("time") },
        Dimension { partitions: Some(4), ..dimension("symbol") },
        Dimension { partitions: Some(2), ..dimension("venue") },
    ])
}

/// A live side of one relation.
struct World {
    server: Server,
    relations: Relations,
    live: BTreeMap<crate::core::Address, Live>,
    desired: BTreeMap<crate::core::Address, Desired>,
    canon: Canon,
}

impl World {
    fn new(version: Option<&str>, relation: Relation, skipping: &[&str]) -> Self {
        let relations = Relations::from([(relation.name.clone(), relation)]);
        let rows: Vec<Row> = skipping
            .iter()
            .map(|column| row(&[("hypertable_id", Cell::Int(5)), ("column_name", Cell::Text((*column).into()))]))
            .collect();
        let live = observe::read(&rows, &relations).unwrap().into_iter().map(|live| (live.address.clone(), live));
        let live = live.collect();
        Self { server: server(version), relations, live, desired: BTreeMap::new(), canon: Canon::new() }
    }

    fn view(&self) -> View<'_> {
        View {
            server: &self.server,
            relations: &self.relations,
            live: &self.live,
            desired: &self.desired,
            canon: &self.canon,
        }
    }

    fn settle(&self, value: Json) -> Result<Desired, Vec<&'static str>> {
        let mut sink = Vec::new();
        let settled = Hypertable.settle(&desired(value), &self.view(), &mut sink);
        match settled {
            Some(settled) if sink.is_empty() => Ok(settled),
            Some(_) => panic!("settled with {:?}", codes(&sink)),
            None => Err(codes(&sink)),
        }
    }

    /// The delta that the differ would make of a settled value.
    fn delta(&self, value: Json) -> Delta {
        let settled = self.settle(value).unwrap();
        let live = self.live.get(&settled.address).cloned();
        let changes = settled.attributes.iter().filter_map(|(name, after)| {
            let before = live.as_ref().and_then(|live| live.get(name)).cloned();
            let change = crate::core::Change { attribute: name.clone(), before, after: Some(after.clone()) };
            (change.before != change.after).then_some(change)
        });
        Delta {
            address: settled.address.clone(),
            on: settled.on.clone(),
            reason: Reason::Differs,
            changes: changes.collect(),
            desired: Some(settled),
            live,
        }
    }

    fn judge(&self, value: Json, weights: &[Row]) -> Judgement {
        let delta = self.delta(value);
        let op = if delta.is_create() { Op::Create } else { Op::Update };
        Hypertable.judge(&delta, op, weights, &self.view()).unwrap()
    }
}

fn row(cells: &[(&str, Cell)]) -> Row {
    let columns: Arc<[String]> = cells.iter().map(|(name, _)| (*name).to_owned()).collect();
    Row::new(columns, cells.iter().map(|(_, cell)| cell.clone()).collect())
}

fn find(what: &str, name: &str, other: &str, columns: &[&str], flag: Option<bool>) -> Row {
    let text = |text: &str| if text.is_empty() { Cell::Null } else { Cell::Text(text.to_owned()) };
    row(&[
        ("what", text(what)),
        ("oid", Cell::Int(7)),
        ("name", text(name)),
        ("other", text(other)),
        ("columns", Cell::List(columns.iter().map(|column| text(column)).collect())),
        ("rows", Cell::Int(1200)),
        ("bytes", Cell::Int(81920)),
        ("flag", flag.map_or(Cell::Null, Cell::Bool)),
    ])
}

#[test]
fn a_section_becomes_attributes_with_their_types() {
    let wanted = desired(json!({
        "time_column": "time", "chunk_interval": "1 month", "partitions": [{"column": "symbol", "number": 4}],
        "chunk_skipping": ["b", "a"], "migrate_data": true, "create_default_indexes": false,
    }));
    assert_eq!(wanted.get("time_column"), Some(&Value::text("time")));
    assert_eq!(wanted.get("chunk_interval"), Some(&Value::Interval(Interval { months: 1, ..Interval::default() })));
    assert_eq!(wanted.get("partitions").unwrap().to_string(), "{column: symbol, number: 4}");
    assert_eq!(wanted.get("chunk_skipping"), Some(&Value::texts(["a", "b"])));
    assert_eq!(wanted.get("migrate_data"), Some(&Value::Bool(true)));
    let ticks = desired(json!({"time_column": "tick", "chunk_interval": 86400, "integer_now": "app.now"}));
    assert_eq!(ticks.get("chunk_interval"), Some(&Value::Int(86400)));
    assert_eq!(ticks.get("integer_now"), Some(&Value::Name(QualifiedName::new("app", "now"))));
    assert_eq!(desired(json!({"ensure": "absent"})).ensure, crate::core::Ensure::Absent);
}

#[test]
fn what_offline_can_be_told_is_told_offline() {
    for (value, code) in [
        (json!({"chunk_interval": "1 day"}), "missing-key"),
        (json!({"time_column": "time", "chunk_interval": "soon"}), "bad-interval"),
        (json!({"time_column": "time", "chunk_interval": "-1 day"}), "bad-interval"),
        (json!({"time_column": "time", "chunk_interval": "1 day", "integer_now": "f"}), "bad-interval"),
        (json!({"time_column": "time", "partitions": [{"column": "time", "number": 2}]}), "wrong-value"),
        (
            json!({"time_column": "time", "partitions": [{"column": "a", "number": 2}, {"column": "a", "number": 3}]}),
            "wrong-value",
        ),
        (json!({"time_column": "time", "chunk_skipping": ["a", "a"]}), "wrong-value"),
        (json!({"time_column": ""}), "bad-name"),
        (json!({"time_column": "time", "integer_now": "a.b.c"}), "bad-name"),
    ] {
        assert_eq!(codes(&expand(value.clone()).1), [code], "{value}");
    }
}

#[test]
fn an_interval_is_settled_as_the_server_keeps_it() {
    let world = World::new(Some("2.29.2"), table(), &[]);
    let interval = |column: &str, text: &str| {
        let settled = world.settle(json!({"time_column": column, "chunk_interval": text}));
        settled.map(|settled| settled.get("chunk_interval").unwrap().to_string())
    };
    assert_eq!(interval("time", "1 month").as_deref(), Ok("30 days"));
    assert_eq!(interval("time", "1 year 36 hours").as_deref(), Ok("361 days 12 hours"));
    assert_eq!(interval("time", "1 us").as_deref(), Ok("0.000001 seconds"));
    assert_eq!(interval("day", "2 weeks").as_deref(), Ok("14 days"));
    assert_eq!(interval("day", "36 hours"), Err(vec!["bad-interval"]));
    assert_eq!(interval("tick", "1 day"), Err(vec!["bad-interval"]));
}

#[test]
fn what_the_live_table_makes_impossible_is_refused() {
    let world = World::new(Some("2.29.2"), table(), &[]);
    for (value, code) in [
        (json!({"time_column": "tiem"}), "unknown-column"),
        (json!({"time_column": "symbol"}), "wrong-type"),
        (json!({"time_column": "at"}), "wrong-type"),
        (json!({"time_column": "time", "chunk_interval": 86400}), "wrong-type"),
        (json!({"time_column": "tick", "chunk_interval": 3_000_000_000_u64}), "bad-interval"),
        (json!({"time_column": "time", "integer_now": "public.f"}), "wrong-type"),
        (json!({"time_column": "time", "partitions": [{"column": "nope", "number": 2}]}), "unknown-column"),
        (json!({"time_column": "time", "partitions": [{"column": "doc", "number": 2}]}), "wrong-type"),
        (json!({"time_column": "time", "chunk_skipping": ["nope"]}), "unknown-column"),
        (json!({"time_column": "time", "chunk_skipping": ["symbol"]}), "wrong-type"),
        (json!({"time_column": "time", "chunk_skipping": ["at"]}), "wrong-type"),
    ] {
        assert_eq!(world.settle(value.clone()), Err(vec![code]), "{value}");
    }
    assert!(world.settle(json!({"time_column": "id"})).is_ok());
}

#[test]
fn servers_that_lack_what_is_asked_for_are_told_apart() {
    let plain = World::new(None, table(), &[]);
    assert_eq!(plain.settle(json!({"time_column": "time"})), Err(vec!["needs-timescaledb"]));
    assert!(plain.settle(json!({"ensure": "absent"})).is_ok());
    let old = World::new(Some("2.12.2"), table(), &[]);
    assert_eq!(old.settle(json!({"time_column": "time"})), Err(vec!["needs-newer-server"]));
    let older = World::new(Some("2.15.3"), table(), &[]);
    assert_eq!(
        older.settle(json!({"time_column": "time", "chunk_skipping": ["tick"]})),
        Err(vec!["needs-newer-server"])
    );
    assert!(
        older.settle(json!({"time_column": "time", "chunk_skipping": []})).unwrap().get("chunk_skipping").is_none()
    );
    assert_eq!(older.settle(json!({"time_column": "id"})), Err(vec!["wrong-type"]));
    assert!(Hypertable.observe(&older.server, &Scope { hypertables: vec![(7, 1)], ..Scope::default() }).is_none());
    let newer = server(Some("2.16.0"));
    assert!(Hypertable.observe(&newer, &Scope { hypertables: vec![(7, 1)], ..Scope::default() }).is_some());
    assert!(Hypertable.observe(&newer, &Scope::default()).is_none());
}

#[test]
fn only_a_plain_table_becomes_a_hypertable() {
    for kind in [
        RelationKind::View,
        RelationKind::PartitionedTable,
        RelationKind::ForeignTable,
        RelationKind::MaterializedView,
        RelationKind::Other,
    ] {
        let world = World::new(Some("2.29.2"), Relation { kind, ..table() }, &[]);
        assert_eq!(world.settle(json!({"time_column": "time"})), Err(vec!["not-a-table"]), "{kind:?}");
    }
    let mut world = World::new(Some("2.29.2"), table(), &[]);
    world.relations.clear();
    assert_eq!(world.settle(json!({"time_column": "time"})), Err(vec!["unknown-table"]));
}

#[test]
fn a_live_hypertable_is_read_with_all_that_a_policy_can_say() {
    let world = World::new(Some("2.29.2"), daily(), &["tick", "day"]);
    let live = world.live.values().next().unwrap();
    assert_eq!(live.get("time_column"), Some(&Value::text("time")));
    assert_eq!(live.get("chunk_interval"), Some(&Value::Interval(Interval::days(1))));
    assert_eq!(live.get("chunk_skipping"), Some(&Value::texts(["day", "tick"])));
    assert_eq!(live.get("integer_now"), None);
    let ticks = live_table(vec![Dimension { integer_interval: Some(86400), ..dimension("tick") }]);
    let world = World::new(Some("2.29.2"), ticks, &[]);
    let live = world.live.values().next().unwrap();
    assert_eq!(live.get("chunk_interval"), Some(&Value::Int(86400)));
    assert_eq!(live.get("integer_now"), Some(&Value::Null));
    assert_eq!(live.get("partitions"), Some(&Value::List(Vec::new())));
}

#[test]
fn what_only_says_how_to_create_is_not_compared_with_a_live_one() {
    let world = World::new(Some("2.29.2"), daily(), &[]);
    let delta = world.delta(json!({
        "time_column": "time", "chunk_interval": "24 hours", "migrate_data": true, "create_default_indexes": false,
        "partitions": [{"column": "venue", "number": 2}, {"column": "symbol", "number": 4}], "chunk_skipping": [],
    }));
    assert_eq!(delta.changes, []);
}

#[test]
fn a_dimension_can_be_added_and_resized_and_never_lost() {
    let world = World::new(Some("2.29.2"), daily(), &[]);
    let part = |column: &str, number: i64| json!({"column": column, "number": number});
    let lost = world.settle(json!({"time_column": "time", "partitions": [part("venue", 2)]}));
    assert_eq!(lost, Err(vec!["cannot-change"]));
    let wanted = [part("id", 3), part("venue", 2), part("symbol", 8)];
    let delta = world.delta(json!({"time_column": "time", "partitions": wanted}));
    let context = Hypertable.context(&delta, &world.view());
    assert_eq!(context["added"].to_string(), "{column: id, number: 3}");
    assert_eq!(context["resized"].to_string(), "{column: symbol, number: 8}");
    let impact = world.judge(json!({"time_column": "time", "partitions": wanted}), &[]).impact.unwrap();
    assert_eq!(impact.notes, ["the 3 existing chunks keep their partitions"]);
    let unique = find("unique", "trades_pkey", "", &["symbol", "venue", "time"], Some(true));
    let judgement = world.judge(json!({"time_column": "time", "partitions": wanted}), &[unique]);
    assert_eq!(codes(&judgement.diagnostics), ["unique-index-in-the-way"]);
}

#[test]
fn chunk_skipping_is_the_whole_set() {
    let world = World::new(Some("2.29.2"), daily(), &["tick"]);
    let delta = world.delta(json!({"time_column": "time", "chunk_skipping": ["day"]}));
    let context = Hypertable.context(&delta, &world.view());
    assert_eq!((context["skipped"].to_string(), context["unskipped"].to_string()), ("day".into(), "tick".into()));
    let other = world.delta(json!({"time_column": "time", "chunk_interval": "2 days"}));
    let context = Hypertable.context(&other, &world.view());
    assert_eq!((context["skipped"].as_list().len(), context["unskipped"].as_list().len()), (0, 0));
}

#[test]
fn there_is_no_way_back_from_a_hypertable() {
    let world = World::new(Some("2.29.2"), daily(), &[]);
    assert_eq!(world.settle(json!({"ensure": "absent"})), Err(vec!["cannot-change"]));
    let delta = Delta { desired: None, ..world.delta(json!({"time_column": "time", "chunk_interval": "2 days"})) };
    let judgement = Hypertable.judge(&delta, Op::Remove, &[], &world.view()).unwrap();
    assert_eq!(codes(&judgement.diagnostics), ["cannot-change"]);
}

#[test]
fn rows_are_moved_only_where_the_policy_says_so() {
    let world = World::new(Some("2.29.2"), table(), &[]);
    let weights = [find("size", "p", "", &[], None), find("rows", "", "", &[], Some(true))];
    let refused = world.judge(json!({"time_column": "time"}), &weights);
    assert_eq!(codes(&refused.diagnostics), ["table-not-empty"]);
    assert!(refused.diagnostics[0].message.contains("about 1200 rows (80.0 kB)"));
    let moved = world.judge(json!({"time_column": "time", "migrate_data": true}), &weights);
    assert_eq!(moved.diagnostics, []);
    assert_eq!(moved.hazards, [Hazard::RewritesTable, Hazard::BlocksWrites, Hazard::BlocksReads]);
    assert_eq!(moved.impact.unwrap().rows, Some(1200));
    let empty = [find("size", "p", "", &[], None), find("rows", "", "", &[], Some(false))];
    assert_eq!(world.judge(json!({"time_column": "time"}), &empty), Judgement::default());
}

#[test]
fn everything_that_the_server_would_refuse_is_foreseen() {
    let refused = |version: &str, has_rows: bool, find: Row| {
        let world = World::new(Some(version), table(), &[]);
        let rows = super::tests::find("rows", "", "", &[], Some(has_rows));
        let partitions = json!([{"column": "symbol", "number": 2}]);
        let value = json!({"time_column": "time", "migrate_data": true, "partitions": partitions});
        codes(&world.judge(value, &[rows, find]).diagnostics).first().copied()
    };
    let material = Some("not-hypertable-material");
    for (version, has_rows, row, expected) in [
        ("2.29.2", false, find("unique", "u", "", &["time"], Some(false)), Some("unique-index-in-the-way")),
        ("2.29.2", false, find("unique", "u", "", &["time", "symbol"], Some(false)), None),
        ("2.29.2", false, find("no inherit", "c", "", &[], None), material),
        ("2.29.2", false, find("referenced", "f", "public.x", &[], Some(false)), None),
        ("2.29.2", true, find("referenced", "f", "public.x", &[], Some(false)), material),
        ("2.29.2", false, find("referenced", "f", "public.x", &[], Some(true)), material),
        ("2.16.1", false, find("referenced", "f", "public.x", &[], Some(false)), material),
        ("2.29.2", false, find("references", "f", "public.x", &[], None), material),
        ("2.29.2", false, find("inheritance", "public.x", "", &[], None), material),
        ("2.29.2", false, find("publication", "p", "", &[], Some(true)), material),
        ("2.19.3", false, find("publication", "p", "", &[], Some(true)), None),
        ("2.19.3", false, find("publication", "p", "", &[], Some(false)), material),
        ("2.29.2", false, find("rule", "r", "", &[], None), material),
        ("2.29.2", false, find("trigger", "t", "", &[], Some(true)), material),
        ("2.29.2", false, find("trigger", "t", "", &[], Some(false)), None),
        ("2.17.2", false, find("trigger", "t", "", &[], Some(false)), material),
        ("2.29.2", false, find("generated", "symbol", "", &[], None), material),
        ("2.29.2", false, find("generated", "venue", "", &[], None), None),
        ("2.22.1", false, find("size", "u", "", &[], None), material),
        ("2.29.2", false, find("size", "u", "", &[], None), None),
        ("2.29.2", false, find("size", "t", "", &[], None), material),
    ] {
        assert_eq!(refused(version, has_rows, row.clone()), expected, "{version} {row:?}");
    }
}

#[test]
fn a_unique_index_that_the_same_policies_remove_is_not_in_the_way() {
    let mut world = World::new(Some("2.29.2"), table(), &[]);
    let address = crate::core::Address::in_schema(KindId::new("index"), &QualifiedName::new("public", "u"));
    let mut index = Desired::new(address.clone(), Some(on()), place());
    index.ensure = crate::core::Ensure::Absent;
    world.desired.insert(address, index);
    let unique = find("unique", "u", "", &["symbol"], Some(false));
    assert_eq!(world.judge(json!({"time_column": "time"}), &[unique]), Judgement::default());
}

#[test]
fn a_function_that_cannot_tell_the_present_is_refused() {
    let world = World::new(Some("2.29.2"), table(), &[]);
    let value = || json!({"time_column": "tick", "integer_now": "app.now"});
    let function = |returns: Cell, volatility: &str, execute: bool| {
        row(&[
            ("what", Cell::Text("function".into())),
            ("oid", returns),
            ("name", Cell::Text("app".into())),
            ("other", Cell::Text("now".into())),
            ("columns", Cell::List(vec![Cell::Text(volatility.into())])),
            ("flag", Cell::Bool(execute)),
        ])
    };
    let int4 = || Cell::Int(types::INT4.into());
    assert_eq!(world.judge(value(), &[function(int4(), "s", true)]).diagnostics, []);
    for (row, words) in [
        (function(Cell::Null, "s", true), "does not exist"),
        (function(Cell::Int(types::INT8.into()), "s", true), "does not return integer"),
        (function(int4(), "v", true), "is volatile"),
        (function(int4(), "i", false), "may not be executed"),
    ] {
        let found = world.judge(value(), &[row]).diagnostics;
        assert_eq!(codes(&found), ["bad-now-function"]);
        assert!(found[0].message.contains(words), "{}", found[0].message);
    }
    let context = Hypertable.context(&world.delta(value()), &world.view());
    assert_eq!(context["integer_now"], Value::text("app.now()"));
}

#[test]
fn a_role_that_does_not_own_the_table_is_named_with_the_owner() {
    let world = World::new(Some("2.29.2"), Relation { owned: false, ..table() }, &[]);
    let found = world.judge(json!({"time_column": "time"}), &[]).diagnostics;
    assert_eq!(codes(&found), ["no-privilege"]);
    assert!(found[0].message.contains("\"owner\"") && found[0].message.contains("\"me\""));
}

#[test]
fn the_weighing_query_asks_only_for_what_changes() {
    let world = World::new(Some("2.29.2"), daily(), &[]);
    let slower = world.delta(json!({"time_column": "time", "chunk_interval": "2 days"}));
    assert_eq!(Hypertable.weigh(&[&slower], &world.view()), None);
    let mut odd = table();
    odd.name = QualifiedName::new("public", "trades");
    odd.columns[0].not_null = false;
    let world = World::new(Some("2.29.2"), odd, &[]);
    let create = world.delta(json!({"time_column": "time"}));
    let query = Hypertable.weigh(&[&create], &world.view()).unwrap();
    assert!(query.sql.contains("EXISTS (SELECT FROM ONLY public.trades)"));
    assert!(query.sql.contains("attname = 'time' AND null_frac > 0"));
    assert_eq!(query.params[0], crate::core::Param::Oids(vec![7]));
}

#[test]
fn another_present_is_a_hazard_where_retention_goes_by_it() {
    use crate::kinds::fixture::{self, World, job_row, ticking};
    use crate::kinds::retention::Retention;
    let section = json!({"time_column": "tick", "integer_now": "app.now"});
    let retained = |mut world: World, drops: &str| {
        let cell = if drops == "drop_after_integer" { Cell::Int(500) } else { Cell::Interval(Interval::days(1)) };
        world = world.with(&Hypertable, &[]).with(&Retention, &[job_row(&[(drops, cell)])]);
        world
    };
    let hazards = |world: &World| {
        let judgement = world.judge(&Hypertable, &world.delta(&Hypertable, &section), &[]);
        assert_eq!(judgement.hazards.is_empty(), judgement.impact.is_none());
        judgement.hazards
    };
    for live in [None, Some("old")] {
        let world = || World::new("2.29.2", ticking(live));
        assert_eq!(hazards(&retained(world(), "drop_after_integer")), [Hazard::DeletesData], "{live:?}");
        assert_eq!(hazards(&retained(world(), "drop_created_before")), [], "it does not go by the present");
        let wanting = world().with(&Hypertable, &[]);
        assert_eq!(hazards(&wanting), [], "no retention");
        let wanting = wanting.wanting(&Retention, &json!({"drop_after": 500}));
        let by_itself = if live.is_some() { vec![Hazard::DeletesData] } else { vec![] };
        assert_eq!(hazards(&wanting), by_itself, "one to come");
    }
    let mut empty = ticking(Some("old"));
    empty.hypertable.as_mut().unwrap().chunks = 0;
    assert_eq!(hazards(&retained(World::new("2.29.2", empty), "drop_after_integer")), [], "nothing to drop");
    let slower = json!({"time_column": "tick", "chunk_interval": 200});
    let world = retained(World::new("2.29.2", ticking(Some("old"))), "drop_after_integer");
    let same = world.judge(&Hypertable, &world.delta(&Hypertable, &slower), &[]);
    assert_eq!(same.hazards, [], "{}", fixture::on());
}
