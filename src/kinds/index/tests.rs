//! Reading, settling, judging and choosing the way, with a server, relations and rows made by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::core::{Cell, Change, Edition, Hazard, Place, Reason, Timescale, Version};
use crate::diag::Places;
use crate::kinds::view::types;
use crate::kinds::{Canon, Column, Dimension, Head, Hypertable, Relation, RelationKind, SectionInput};

fn place() -> Place {
    Place { file: "p.yaml".into(), line: 3, column: 1, start: 0, end: 1, via: None }
}

fn on() -> QualifiedName {
    QualifiedName::new("public", "ticks")
}

fn address(name: &str) -> Address {
    Address::in_schema(ID, &QualifiedName::new("public", name))
}

fn codes(sink: &[Diagnostic]) -> Vec<&'static str> {
    sink.iter().map(|diagnostic| diagnostic.code.name).collect()
}

fn expand(value: &Json) -> (Vec<Desired>, Vec<&'static str>) {
    let head = Head {
        document: "table",
        name: "ticks".to_owned(),
        relation: on(),
        protect: false,
        skip_missing: false,
        moved_from: None,
        place: place(),
    };
    let places = Places::new(place());
    let input = SectionInput { head: &head, value, places: &places, pointer: "/indexes/0" };
    let mut sink = Vec::new();
    let found = desired::expand(&input, &mut sink);
    (found, codes(&sink))
}

fn desired(value: &Json) -> Desired {
    let (mut found, said) = expand(value);
    assert_eq!(said, Vec::<&str>::new(), "{value}");
    found.remove(0)
}

fn server(timescaledb: Option<&str>) -> Server {
    Server {
        host: "h".into(),
        port: 1,
        database: "db".into(),
        system_identifier: "1".into(),
        database_oid: 1,
        version_text: "17.5".into(),
        version: Version::new(17, 5),
        timescaledb: timescaledb.map(|version| Timescale {
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

fn relation(hypertable: bool) -> Relation {
    let column =
        |name: &str, base_type: u32| Column { name: name.into(), type_name: "t".into(), base_type, not_null: true };
    let dimension = |column: &str, partitions: Option<i64>| Dimension {
        column: column.into(),
        interval: None,
        integer_interval: None,
        integer_now: None,
        inherits_now: false,
        present: None,
        partitions,
    };
    Relation {
        oid: 7,
        name: on(),
        kind: RelationKind::Table,
        columns: vec![column("time", types::TIMESTAMPTZ), column("symbol", 25), column("price", 701)],
        hypertable: hypertable.then(|| Hypertable {
            id: 1,
            dimensions: vec![dimension("time", None), dimension("symbol", Some(2))],
            columnstore: false,
            chunks: 3,
            begun: false,
        }),
        stored: crate::kinds::Stored::Itself,
        has_pages: true,
        owner: "owner".into(),
        owned: true,
        owner_logs_in: true,
        coming: None,
    }
}

/// One live index of one key, as the query gives it; `more` replaces cells.
fn row(name: &str, column: &str, more: &[(&str, Cell)]) -> Row {
    let text = |text: &str| Cell::Text(text.to_owned());
    let mut cells: BTreeMap<&str, Cell> = BTreeMap::from([
        ("oid", Cell::Int(name.bytes().map(i64::from).sum())),
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
        ("own_tablespace", Cell::Bool(false)),
        ("tablespace", text("pg_default")),
        ("at", Cell::Int(1)),
        ("column", text(column)),
        ("option", Cell::Int(0)),
        ("default_opclass", Cell::Bool(true)),
        ("opclass_schema", text("pg_catalog")),
        ("opclass", text("text_ops")),
        ("own_collation", Cell::Bool(true)),
        ("parameters", Cell::Null),
        ("collation_schema", text("pg_catalog")),
        ("collation", text("default")),
    ]);
    cells.extend(more.iter().cloned());
    let columns: Arc<[String]> = cells.keys().map(|name| (*name).to_owned()).collect();
    Row::new(columns, cells.into_values().collect())
}

/// A row of the weighing query.
fn finding(finding: &str, oid: Option<i64>, name: &str, words: &str, bytes: i64) -> Row {
    let text = |text: &str| if text.is_empty() { Cell::Null } else { Cell::Text(text.to_owned()) };
    let cells = [
        ("finding", text(finding)),
        ("oid", oid.map_or(Cell::Null, Cell::Int)),
        ("schema", text("public")),
        ("name", text(name)),
        ("words", text(words)),
        ("bytes", Cell::Int(bytes)),
        ("rows", Cell::Int(bytes / 100)),
        ("children", Cell::Int(3)),
    ];
    let columns: Arc<[String]> = cells.iter().map(|(name, _)| (*name).to_owned()).collect();
    Row::new(columns, cells.into_iter().map(|(_, cell)| cell).collect())
}

fn stored(bytes: i64) -> Vec<Row> {
    vec![finding("relation", Some(7), "", "", bytes)]
}

const SMALL: i64 = 8192;
const LARGE: i64 = 1 << 30;

struct World {
    server: Server,
    relations: Relations,
    live: BTreeMap<Address, Live>,
    desired: BTreeMap<Address, Desired>,
    canon: Canon,
}

impl World {
    fn new(hypertable: bool, rows: &[Row]) -> Self {
        let relations = Relations::from([(on(), relation(hypertable))]);
        let live = observe::read(rows, &relations).unwrap();
        Self {
            server: server(hypertable.then_some("2.29.2")),
            relations,
            live: live.into_iter().map(|live| (live.address.clone(), live)).collect(),
            desired: BTreeMap::new(),
            canon: Canon::new(),
        }
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

    fn settle(&self, value: &Json) -> (Option<Desired>, Vec<&'static str>) {
        let mut sink = Vec::new();
        let settled = Index.settle(&desired(value), &self.view(), &mut sink);
        Index.review(&settled.iter().collect::<Vec<_>>(), &self.view(), &mut sink);
        (settled, codes(&sink))
    }

    /// The delta that the differ would make.
    fn delta(&self, value: &Json) -> Delta {
        let settled = self.settle(value).0.unwrap();
        let live = self.live.get(&settled.address).cloned();
        let changes = settled.attributes.iter().filter_map(|(name, after)| {
            let before = live.as_ref().and_then(|live| live.get(name)).cloned();
            let change = Change { attribute: name.clone(), before, after: Some(after.clone()) };
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

    fn removal(&self, name: &str) -> Delta {
        let live = self.live.get(&address(name)).cloned();
        let (address, on) = (address(name), Some(on()));
        Delta { address, on, reason: Reason::Dropped, changes: Vec::new(), desired: None, live }
    }

    /// The condition under which an index is built, first in the order of the rule.
    fn way(&self, delta: &Delta, weights: &[Row]) -> Option<&'static str> {
        let holds = |condition: &str| Index.holds(condition, delta, weights, &self.view());
        let of = if delta.is_create() { rules::RULES.create } else { rules::RULES.replace.unwrap() };
        let build = of.iter().find(|step| step.variants.iter().any(|it| it.template == "index/create.sql")).unwrap();
        build.variant(&self.server, relation_is_hypertable(self), &holds).unwrap().needs.when
    }

    fn judge(&self, delta: &Delta, op: Op, weights: &[Row]) -> Judgement {
        // As the query orders them.
        let mut weights = weights.to_vec();
        weights.sort_by_key(|row| row.maybe_int("oid").ok().flatten());
        Index.judge(delta, op, &weights, &self.view()).unwrap()
    }
}

fn relation_is_hypertable(world: &World) -> bool {
    world.view().is_hypertable(&on())
}

fn simple() -> Json {
    json!({"name": "ix", "columns": ["symbol"]})
}

#[test]
fn a_policy_says_the_whole_definition() {
    let index = desired(&json!({
        "name": "ix",
        "columns": ["symbol desc", {"expression": "lower(symbol)", "opclass": "text_pattern_ops"}],
        "include": ["price"], "where": "price > 0", "storage": {"fillfactor": "70", "deduplicate_items": null},
    }));
    assert_eq!(index.address, address("ix"));
    let shown = |name: &str| index.get(name).unwrap().to_string();
    assert_eq!(shown("columns"), "symbol desc, (lower(symbol)) pg_catalog.text_pattern_ops");
    assert_eq!((shown("include"), shown("where")), ("price".to_owned(), "price > 0".to_owned()));
    assert_eq!((shown("method"), shown("unique")), ("btree".to_owned(), "false".to_owned()));
    assert_eq!(index.get("storage.fillfactor"), Some(&Value::Int(70)));
    assert_eq!(index.get("storage.deduplicate_items"), Some(&Value::Null));
    assert_eq!(index.get("tablespace"), None);
    assert_eq!(desired(&simple()).get("where"), Some(&Value::Null));
    assert!(desired(&json!({"name": "ix", "ensure": "absent", "columns": ["("]})).attributes.is_empty());
}

#[test]
fn what_cannot_be_is_told_offline() {
    for (value, code) in [
        (json!({"name": "public.ix", "columns": ["symbol"]}), "bad-name"),
        (json!({"name": "ix_chronoform_new", "columns": ["symbol"]}), "bad-name"),
        (json!({"name": "x".repeat(64), "columns": ["symbol"]}), "bad-name"),
        (json!({"name": "", "columns": ["symbol"]}), "bad-name"),
        (json!({"name": "ix"}), "missing-key"),
        (json!({"name": "ix", "columns": []}), "missing-key"),
        (json!({"name": "ix", "columns": ["symbol"], "where": "true) OR (true"}), "bad-expression"),
        (json!({"name": "ix", "columns": ["symbol"], "unique": true, "method": "hash"}), "method-cannot"),
        (json!({"name": "ix", "columns": ["symbol", "time"], "method": "hash"}), "method-cannot"),
        (json!({"name": "ix", "columns": ["symbol desc"], "method": "brin"}), "method-cannot"),
        (json!({"name": "ix", "columns": ["symbol"], "method": "gin", "include": ["time"]}), "method-cannot"),
        (json!({"name": "ix", "columns": ["symbol"], "nulls_not_distinct": true}), "wrong-value"),
        (json!({"name": "ix", "columns": ["symbol"], "storage": {"fillfactor": 5}}), "wrong-value"),
    ] {
        assert_eq!(expand(&value), (Vec::new(), vec![code]), "{value}");
    }
    let (found, said) = expand(&json!({"name": "ix", "columns": ["symbol"], "storage": {"filfactor": 5}}));
    assert_eq!((found.len(), said), (1, vec!["unknown-storage-parameter"]));
    let other = json!({"name": "ix", "columns": ["symbol desc"], "method": "rum", "unique": true, "storage": {"x": 5}});
    assert_eq!(expand(&other).1, Vec::<&str>::new());
}

#[test]
fn a_live_index_reads_as_a_policy_would_say_it() {
    let second = [("at", Cell::Int(2)), ("keys", Cell::Int(2)), ("option", Cell::Int(3))];
    let included = [("at", Cell::Int(3)), ("keys", Cell::Int(2)), ("option", Cell::Null)];
    let text = |text: &str| Cell::Text(text.to_owned());
    let first = [
        ("keys", Cell::Int(2)),
        ("expression", text("(price + '1'::double precision)")),
        ("predicate", text("(a > 1) AND (b > 2)")),
        ("default_opclass", Cell::Bool(false)),
        ("options", Cell::List(vec![text("fillfactor=070")])),
    ];
    let world = World::new(false, &[row("ix", "", &first), row("ix", "time", &second), row("ix", "symbol", &included)]);
    let live = &world.live[&address("ix")];
    let shown = |name: &str| live.get(name).unwrap().to_string();
    assert_eq!(shown("columns"), "(price + '1'::double precision) pg_catalog.text_ops, time desc");
    assert_eq!((shown("include"), shown("where")), ("symbol".to_owned(), "(a > 1) AND (b > 2)".to_owned()));
    assert_eq!(live.get("storage.fillfactor"), Some(&Value::Int(70)));
    assert!(!live.system);
}

#[test]
fn the_servers_own_indexes_are_nobodys() {
    let descending = [("option", Cell::Int(3))];
    let constraint = [("constraint_type", Cell::Text("p".into())), ("is_unique", Cell::Bool(true))];
    let rows = [
        row("ticks_time_idx", "time", &descending),
        row("ix_time", "time", &descending),
        row("ticks_pkey", "time", &constraint),
        row("of_parent", "time", &[("of_parent", Cell::Bool(true))]),
    ];
    let world = World::new(true, &rows);
    let system = |name: &str| world.live[&address(name)].system;
    assert!(system("ticks_time_idx") && system("ticks_pkey") && system("of_parent") && !system("ix_time"));
    let ascending = World::new(true, &[row("ticks_time_idx", "time", &[])]);
    assert!(!ascending.live[&address("ticks_time_idx")].system);
    let plain = World::new(false, &[row("ticks_time_idx", "time", &descending)]);
    assert!(!plain.live[&address("ticks_time_idx")].system);
}

#[test]
fn a_default_index_is_known_under_another_name_unless_somebody_owns_it() {
    let descending = |oid: i64| [("option", Cell::Int(3)), ("oid", Cell::Int(oid))];
    let known = |names: &[&str], policy: &[&str]| {
        let rows: Vec<Row> = names.iter().zip(1..).map(|(name, oid)| row(name, "time", &descending(oid))).collect();
        let wanted = |name: &&str| {
            let it = desired(&json!({"name": name, "columns": ["time desc"]}));
            (it.address.clone(), it)
        };
        let wanted: BTreeMap<Address, Desired> = policy.iter().map(wanted).collect();
        let found = World::new(true, &rows).live.into_values().collect();
        let found = Index.identify(found, &wanted, &BTreeMap::new()).into_iter();
        let system: Vec<String> = found.filter(|live| live.system).map(|live| live.address.name).collect();
        system
    };
    let other = &["ix_other"];
    assert_eq!(known(&["old_time_idx"], other), ["old_time_idx"], "the table was renamed");
    assert_eq!(known(&["old_time_idx", "ix_time"], other), ["old_time_idx"], "the oldest; the other is a copy of it");
    assert_eq!(known(&["ix_time", "ticks_time_idx"], other), ["ticks_time_idx"], "the name counts first");
    assert_eq!(known(&["old_time_idx", "ix_time"], &["ix_time"]), ["old_time_idx"]);
    assert_eq!(known(&["ix_time", "old_time_idx"], &["ix_time"]), ["old_time_idx"], "a policy's own is none");
    assert_eq!(known(&["old_time_idx"], &[]), Vec::<String>::new(), "as import sees it");
}

#[test]
fn what_an_interrupted_replacement_left_is_noted_on_its_index() {
    // Invalid: nobody leaves one like that on purpose.
    let unfinished = [("valid", Cell::Bool(false))];
    let rows = [
        row("ix", "symbol", &[]),
        row("ix_chronoform_new", "price", &unfinished),
        row("iy_chronoform_old", "price", &[]),
    ];
    let world = World::new(false, &rows);
    assert_eq!(world.live.len(), 2);
    assert_eq!(world.live[&address("ix")].get("leftover.unfinished"), Some(&Value::text("ix_chronoform_new")));
    assert_eq!(world.live[&address("ix")].get("leftover.retired"), Some(&Value::Null));
    // Its own index is gone, so it is for somebody to look at.
    assert!(world.live.contains_key(&address("iy_chronoform_old")));
    assert!(world.delta(&simple()).change("leftover.unfinished").is_some());
}

#[test]
fn what_the_live_server_makes_impossible_is_told_before() {
    let plain = World::new(false, &[]);
    let hyper = World::new(true, &[]);
    let unique = |columns: Json| json!({"name": "ix", "columns": columns, "unique": true});
    assert_eq!(
        plain.settle(&json!({"name": "ix", "columns": ["symbl"], "include": ["Time"]})).1,
        ["unknown-column"; 2]
    );
    assert_eq!(hyper.settle(&unique(json!(["time"]))).1, ["unique-without-partition-column"]);
    assert_eq!(hyper.settle(&unique(json!(["symbol", {"expression": "time"}]))).1, ["unique-without-partition-column"]);
    assert_eq!(hyper.settle(&unique(json!(["symbol", "time"]))).1, Vec::<&str>::new());
    assert_eq!(plain.settle(&unique(json!(["symbol"]))).1, Vec::<&str>::new());

    let mut wanted = World::new(false, &[]);
    let hypertable = Address::in_schema(KindId::new("hypertable"), &on());
    let mut becomes = Desired::new(hypertable.clone(), Some(on()), place());
    becomes.set("time_column", Value::text("time"));
    wanted.desired.insert(hypertable, becomes);
    assert_eq!(wanted.settle(&unique(json!(["symbol"]))).1, ["unique-without-partition-column"]);

    let mut old = World::new(false, &[]);
    old.server.version = Version::new(14, 1);
    let nulls = json!({"name": "ix", "columns": ["symbol"], "unique": true, "nulls_not_distinct": true});
    assert_eq!(old.settle(&nulls).1, ["needs-newer-server"]);

    let mut view = World::new(false, &[]);
    view.relations.get_mut(&on()).unwrap().kind = RelationKind::View;
    assert_eq!(view.settle(&simple()).1, ["not-a-table"]);

    let mut elsewhere = World::new(false, &[row("ix", "symbol", &[])]);
    elsewhere.live.get_mut(&address("ix")).unwrap().on = Some(QualifiedName::new("public", "other"));
    assert_eq!(elsewhere.settle(&simple()), (None, vec!["index-name-taken"]));
    assert_eq!(elsewhere.settle(&json!({"name": "ix", "ensure": "absent"})), (None, vec!["index-name-taken"]));
}

#[test]
fn other_words_for_the_same_are_no_difference() {
    let text = |text: &str| Cell::Text(text.to_owned());
    let live = [("expression", text("lower(symbol)")), ("predicate", text("price > '0'::double precision"))];
    let mut world = World::new(false, &[row("ix", "", &live)]);
    let value = json!({"name": "ix", "columns": [{"expression": "LOWER(symbol)", "opclass": "text_ops",
        "collation": "default"}], "where": "price>0", "storage": {"fillfactor": null}});
    let asked = Index.expressions(&desired(&value), world.live.get(&address("ix")));
    assert_eq!(asked.len(), 4);
    for (key, sql) in asked {
        let canonical = if sql.as_str().starts_with("CASE") { "condition" } else { "lower(symbol)" };
        world.canon.insert((key, sql), Ok(canonical.to_owned()));
    }
    assert_eq!(world.delta(&value).changes, Vec::new());
    world.canon = Canon::new();
    let names: Vec<String> = world.delta(&value).changes.into_iter().map(|change| change.attribute).collect();
    assert_eq!(names, ["columns", "where"]);
}

#[test]
fn an_expression_that_the_server_refuses_is_an_error_at_its_place() {
    let mut world = World::new(false, &[]);
    let value = json!({"name": "ix", "columns": [{"expression": "lowercase(symbol)"}], "where": "price"});
    for (on, sql) in Index.expressions(&desired(&value), None) {
        world.canon.insert((on, sql), Err("function lowercase(text) does not exist".to_owned()));
    }
    assert_eq!(world.settle(&value), (None, vec!["bad-expression"; 2]));
}

#[test]
fn an_index_is_built_in_the_way_that_suits_its_table() {
    let unique = json!({"name": "ix", "columns": ["symbol", "time"], "unique": true});
    let plain = World::new(false, &[]);
    assert_eq!(plain.way(&plain.delta(&simple()), &stored(LARGE)), Some(way::CONCURRENTLY));
    assert_eq!(plain.way(&plain.delta(&unique), &stored(SMALL)), Some(way::CONCURRENTLY));
    let hyper = World::new(true, &[]);
    assert_eq!(hyper.way(&hyper.delta(&simple()), &stored(SMALL)), Some(way::BRIEF));
    assert_eq!(hyper.way(&hyper.delta(&simple()), &stored(LARGE)), Some(way::PER_CHUNK));
    assert_eq!(hyper.way(&hyper.delta(&simple()), &[]), Some(way::PER_CHUNK));
    assert_eq!(hyper.way(&hyper.delta(&unique), &stored(LARGE)), None);
    for hypertable in [false, true] {
        let mut embedded = World::new(hypertable, &[]);
        embedded.server.single_session = true;
        assert_eq!(embedded.way(&embedded.delta(&simple()), &stored(LARGE)), Some(way::BRIEF));
    }
    let mut partitioned = World::new(false, &[]);
    partitioned.relations.get_mut(&on()).unwrap().kind = RelationKind::PartitionedTable;
    assert_eq!(partitioned.way(&partitioned.delta(&simple()), &stored(LARGE)), None);
}

#[test]
fn a_replacement_is_there_before_the_old_index_goes_wherever_that_is_safe() {
    let other = [row("ix", "price", &[])];
    let invalid = [row("ix", "symbol", &[("valid", Cell::Bool(false))])];
    let way_of = |world: &World, weights: &[Row]| {
        let delta = world.delta(&simple());
        (world.way(&delta, weights), way::drops_first(&delta, &world.view()))
    };
    assert_eq!(way_of(&World::new(false, &other), &stored(LARGE)), (Some(way::CONCURRENTLY), false));
    assert_eq!(way_of(&World::new(true, &other), &stored(LARGE)), (Some(way::PER_CHUNK), false));
    assert_eq!(way_of(&World::new(true, &other), &stored(SMALL)), (Some(way::BRIEF_THEN_SWAP), false));
    assert_eq!(way_of(&World::new(true, &invalid), &stored(SMALL)), (Some(way::BRIEF), true));
    assert_eq!(way_of(&World::new(false, &invalid), &stored(SMALL)), (Some(way::CONCURRENTLY), true));
    let opclass = [row("ix", "symbol", &[("default_opclass", Cell::Bool(false))])];
    assert_eq!(way_of(&World::new(true, &opclass), &stored(LARGE)), (Some(way::PER_CHUNK), true));
    assert_eq!(way_of(&World::new(false, &opclass), &stored(LARGE)), (Some(way::CONCURRENTLY), false));
    let unique = json!({"name": "ix", "columns": ["symbol", "time"], "unique": true});
    let world = World::new(true, &other);
    assert_eq!(world.way(&world.delta(&unique), &stored(LARGE)), Some(way::WHOLE_THEN_SWAP));
}

#[test]
fn what_was_built_before_an_interruption_only_takes_over() {
    let rows = |column: &str, valid: bool| {
        [row("ix", "price", &[]), row("ix_chronoform_new", column, &[("valid", Cell::Bool(valid))])]
    };
    let built = |rows: &[Row], value: &Json| {
        let world = World::new(false, rows);
        let delta = world.delta(value);
        let judgement = world.judge(&delta, Op::Replace, &stored(LARGE));
        let context = Index.context(&delta, &world.view());
        assert_eq!(judgement.hazards.is_empty(), context["built_already"] == Value::Bool(true));
        context["built_already"] == Value::Bool(true)
    };
    assert!(built(&rows("symbol", true), &simple()));
    assert!(!built(&rows("symbol", false), &simple()));
    assert!(!built(&rows("time", true), &simple()));
    let filled = json!({"name": "ix", "columns": ["symbol"], "storage": {"fillfactor": 70}});
    assert!(!built(&rows("symbol", true), &filled));
    // Also where the index itself is gone.
    let orphan = [row("ix_chronoform_new", "symbol", &[])];
    assert!(built(&orphan, &simple()));
}

#[test]
fn an_index_that_something_needs_stays() {
    let goes = |more: &[(&str, Cell)], weights: &[Row]| {
        let world = World::new(false, &[row("ix", "price", more)]);
        let removed = codes(&world.judge(&world.removal("ix"), Op::Remove, weights).diagnostics);
        let replaced = codes(&world.judge(&world.delta(&simple()), Op::Replace, weights).diagnostics);
        assert_eq!(removed, replaced);
        removed
    };
    let oid = "ix".bytes().map(i64::from).sum();
    assert_eq!(goes(&[], &[]), Vec::<&str>::new());
    assert_eq!(goes(&[("constraint_type", Cell::Text("p".into()))], &[]), ["index-in-use"]);
    assert_eq!(goes(&[("of_parent", Cell::Bool(true))], &[]), ["index-in-use"]);
    assert_eq!(goes(&[("replica_identity", Cell::Bool(true))], &[]), ["index-in-use"]);
    assert_eq!(goes(&[], &[finding("foreign_key", Some(oid), "fk", "public.other", 0)]), ["index-in-use"]);
    assert_eq!(goes(&[], &[finding("foreign_key", Some(oid + 1), "fk", "public.other", 0)]), Vec::<&str>::new());
    assert_eq!(goes(&[], &[finding("building", Some(oid), "", "", 0)]), ["index-being-built"]);
}

#[test]
fn a_twin_on_a_hypertable_does_not_lose_its_chunks_unseen() {
    let twins = [row("ix", "symbol", &[]), row("iy", "symbol", &[])];
    let mut world = World::new(true, &twins);
    let said = |world: &World| world.judge(&world.removal("ix"), Op::Remove, &[]).diagnostics;
    assert_eq!((codes(&said(&world)), said(&world)[0].is_error()), (vec!["shares-chunk-indexes"], false));
    world.desired.insert(address("iy"), desired(&json!({"name": "iy", "columns": ["symbol"]})));
    assert!(said(&world)[0].is_error());
    world.server = server(Some("2.20.3"));
    assert!(said(&world).is_empty());
    assert!(said(&World::new(false, &twins)).is_empty());
    assert_eq!(World::new(true, &twins[1..]).settle(&simple()).1, ["same-index-twice"]);
    let mut replaced = World::new(true, &twins[1..]);
    let mut goes = desired(&json!({"name": "iy", "columns": ["symbol"]}));
    goes.ensure = crate::core::Ensure::Absent;
    replaced.desired.insert(address("iy"), goes);
    assert!(replaced.settle(&simple()).1.is_empty(), "the same plan drops the other");
}

#[test]
fn what_is_built_over_rows_says_so() {
    let world = World::new(true, &[]);
    let delta = world.delta(&simple());
    let judged = |weights: &[Row]| world.judge(&delta, Op::Create, weights);
    let large = judged(&stored(LARGE));
    assert_eq!(large.hazards, [Hazard::BuildsIndex]);
    let impact = large.impact.unwrap();
    assert_eq!(
        (impact.chunks, impact.rows, impact.bytes.map(|bytes| bytes.0)),
        (Some(3), Some(10_737_418), Some(1 << 30))
    );
    assert!(judged(&stored(0)).hazards.is_empty());
    // Unknown is worst.
    assert_eq!(judged(&[]).hazards, [Hazard::BuildsIndex]);
    let missing = json!({"name": "ix", "method": "bitmap", "tablespace": "fast",
        "columns": [{"column": "symbol", "opclass": "a.b", "collation": "a.c"}]});
    let found = [
        finding("taken", None, "ix", "a view", 0),
        finding("method", None, "bitmap", "", 0),
        finding("tablespace", None, "fast", "", 0),
    ];
    let said = world.judge(&world.delta(&missing), Op::Create, &found).diagnostics;
    assert_eq!(codes(&said), ["index-name-taken", "no-such-object", "no-such-object"]);
}

#[test]
fn every_condition_in_the_rules_is_one_that_is_decided() {
    for step in rules::RULES.steps() {
        let conditions: Vec<Option<&str>> = step.variants.iter().map(|variant| variant.needs.when).collect();
        assert!(conditions.iter().flatten().all(|condition| way::ALL.contains(condition)));
        assert_eq!(conditions.last(), Some(&None), "there is a way for every case");
    }
}

#[test]
fn an_old_server_is_not_asked_for_what_it_lacks() {
    let scope = Scope { oids: vec![7], ..Scope::default() };
    let mut old = server(None);
    assert!(Index.observe(&old, &scope).unwrap().sql.contains("indnullsnotdistinct"));
    old.version = Version::new(14, 20);
    assert!(!Index.observe(&old, &scope).unwrap().sql.contains("indnullsnotdistinct"));
    assert!(Index.observe(&old, &Scope::default()).is_none());
}
