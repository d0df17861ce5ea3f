//! Reading, settling and judging with rows made by hand.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::core::{Address, Cell, Change, Hazard, Param, Place, QualifiedName, Reason, Version};
use crate::diag::Places;
use crate::kinds::{Canon, Head, SectionInput};

fn place() -> Place {
    Place { file: "p.yaml".into(), line: 3, column: 1, start: 0, end: 1, via: None }
}

fn expand(name: &str, value: Json) -> (Vec<Desired>, Vec<Diagnostic>) {
    let head = Head {
        document: "extension",
        name: name.to_owned(),
        relation: QualifiedName::new("public", "unnamed"),
        protect: false,
        skip_missing: false,
        moved_from: None,
        place: place(),
    };
    let places = Places::new(place());
    let mut sink = Vec::new();
    let input = SectionInput { head: &head, value: &value, places: &places, pointer: "" };
    let found = desired::expand(&input, &mut sink);
    (found, sink)
}

fn codes(sink: &[Diagnostic]) -> Vec<&'static str> {
    sink.iter().map(|diagnostic| diagnostic.code.name).collect()
}

fn row(cells: &[(&str, Cell)]) -> Row {
    let columns: Arc<[String]> = cells.iter().map(|(name, _)| (*name).to_owned()).collect();
    Row::new(columns, cells.iter().map(|(_, cell)| cell.clone()).collect())
}

fn text(text: &str) -> Cell {
    if text.is_empty() { Cell::Null } else { Cell::Text(text.to_owned()) }
}

fn live(name: &str, version: &str, schema: &str, relocatable: bool, owned: bool) -> Row {
    row(&[
        ("name", text(name)),
        ("version", text(version)),
        ("schema", text(schema)),
        ("relocatable", Cell::Bool(relocatable)),
        ("owner", text("owner")),
        ("owned", Cell::Bool(owned)),
    ])
}

fn find(what: &str, name: &str, other: &str, texts: &[&str], flags: (bool, bool)) -> Row {
    row(&[
        ("what", text(what)),
        ("name", text(name)),
        ("other", text(other)),
        ("texts", Cell::List(texts.iter().map(|item| text(item)).collect())),
        ("rows", Cell::Int(5)),
        ("bytes", Cell::Int(8192)),
        ("flag", Cell::Bool(flags.0)),
        ("other_flag", Cell::Bool(flags.1)),
    ])
}

/// What a server says that has a few extensions to offer and lets the role create.
fn offered() -> Vec<Row> {
    vec![
        find("server", "", "db", &[], (true, true)),
        find("available", "hstore", "1.8", &[], (false, false)),
        find("available", "earthdistance", "1.1", &[], (false, false)),
        find("available", "timescaledb", "2.29.2", &[], (false, false)),
        find("available", "plperlu", "1.0", &[], (false, false)),
        find("version", "hstore", "1.7", &[""], (true, true)),
        find("version", "hstore", "1.8", &[""], (true, true)),
        find("version", "earthdistance", "1.1", &["", "cube"], (true, true)),
        find("version", "timescaledb", "2.29.2", &[""], (true, true)),
        find("version", "plperlu", "1.0", &["pg_catalog"], (true, false)),
        find("schema", "public", "", &[], (true, false)),
        find("schema", "app", "", &[], (true, false)),
        find("schema", "locked", "", &[], (false, false)),
    ]
}

/// A live side of some extensions.
struct World {
    server: Server,
    live: BTreeMap<Address, Live>,
    desired: BTreeMap<Address, Desired>,
    relations: Relations,
    canon: Canon,
}

impl World {
    fn new(rows: &[Row]) -> Self {
        let live = Extension.read(rows, &Relations::new()).unwrap().into_iter();
        let server = Server {
            host: "h".into(),
            port: 1,
            database: "db".into(),
            system_identifier: "1".into(),
            database_oid: 1,
            version_text: "17.5".into(),
            version: Version::new(17, 5),
            timescaledb: None,
            timescaledb_available: true,
            user: "me".into(),
            superuser: false,
            read_only: false,
            single_session: false,
            now_micros: 0,
        };
        Self {
            server,
            live: live.map(|live| (live.address.clone(), live)).collect(),
            desired: BTreeMap::new(),
            relations: Relations::new(),
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

    fn add(&mut self, name: &str, value: Json) {
        let wanted = expand(name, value).0.remove(0);
        self.desired.insert(wanted.address.clone(), wanted);
    }

    fn delta(&self, name: &str, value: Json) -> Delta {
        let (mut found, sink) = expand(name, value);
        assert_eq!(codes(&sink), Vec::<&str>::new());
        let settled = Extension.settle(&found.remove(0), &self.view(), &mut Vec::new()).unwrap();
        let live = self.live.get(&settled.address).cloned();
        let changes = settled.attributes.iter().filter_map(|(name, after)| {
            let before = live.as_ref().and_then(|live| live.get(name)).cloned();
            let change = Change { attribute: name.clone(), before, after: Some(after.clone()) };
            (change.before != change.after).then_some(change)
        });
        let changes = changes.collect();
        let desired = (settled.ensure == Ensure::Present).then_some(settled.clone());
        Delta { address: settled.address, on: None, reason: Reason::Differs, changes, desired, live }
    }

    fn judge(&self, name: &str, value: Json, weights: &[Row]) -> Judgement {
        let delta = self.delta(name, value);
        let op = match (delta.is_create(), delta.is_remove()) {
            (true, _) => Op::Create,
            (_, true) => Op::Remove,
            _ => Op::Update,
        };
        Extension.judge(&delta, op, weights, &self.view()).unwrap()
    }

    fn refused(&self, name: &str, value: Json, weights: &[Row]) -> Vec<&'static str> {
        codes(&self.judge(name, value, weights).diagnostics)
    }
}

#[test]
fn a_document_becomes_attributes_whatever_its_head_says() {
    let value = json!({"kind": "extension", "name": "hstore", "labels": {"a": "b"}, "schema": "app", "version": "1.8"});
    let (found, sink) = expand("hstore", value);
    assert_eq!(codes(&sink), Vec::<&str>::new());
    assert_eq!(found[0].address.to_string(), "extension.hstore");
    assert_eq!(found[0].get("schema"), Some(&Value::text("app")));
    assert_eq!(found[0].get("version"), Some(&Value::text("1.8")));
    assert_eq!(expand("uuid-ossp", json!({"ensure": "absent"})).0[0].ensure, Ensure::Absent);
    assert_eq!(codes(&expand("x", json!({"version": " "})).1), ["wrong-value"]);
    assert_eq!(codes(&expand("x", json!({"schema": ""})).1), ["bad-name"]);
    assert_eq!(codes(&expand(&"x".repeat(64), json!({})).1), ["bad-name"]);
}

#[test]
fn only_named_extensions_are_read() {
    let server = World::new(&[]).server;
    assert_eq!(Extension.observe(&server, &Scope::default()), None);
    let globals = BTreeMap::from([("extension".to_owned(), vec!["hstore".to_owned()])]);
    let query = Extension.observe(&server, &Scope { globals, ..Scope::default() }).unwrap();
    assert_eq!(query.params, [Param::texts(["hstore"]), Param::Int(0)]);
    let world = World::new(&[live("hstore", "1.7", "public", true, true)]);
    assert_eq!(world.delta("hstore", json!({"version": "1.7", "cascade": true})).changes, []);
}

#[test]
fn what_can_be_created_is_and_what_cannot_says_why() {
    let world = World::new(&[]);
    for (name, value, expected) in [
        ("hstore", json!({}), vec![]),
        ("hstore", json!({"version": "1.7", "schema": "app"}), vec![]),
        ("hstore", json!({"version": "9"}), vec!["extension-unavailable"]),
        ("hstor", json!({}), vec!["extension-unavailable"]),
        ("hstore", json!({"schema": "nope"}), vec!["unknown-schema"]),
        ("hstore", json!({"schema": "locked"}), vec!["no-privilege"]),
        ("earthdistance", json!({}), vec!["extension-requires"]),
        ("plperlu", json!({}), vec!["no-privilege"]),
        ("earthdistance", json!({"cascade": true}), vec![]),
        ("plperlu", json!({}), vec!["no-privilege"]),
        ("timescaledb", json!({}), vec![]),
    ] {
        assert_eq!(world.refused(name, value.clone(), &offered()), expected, "{name} {value}");
    }
    let message = world.judge("hstor", json!({}), &offered()).diagnostics.remove(0);
    assert_eq!(message.help.as_deref(), Some("did you mean \"hstore\"?"));
    let elsewhere = World { server: Server { superuser: true, ..world.server.clone() }, ..World::new(&[]) };
    assert_eq!(elsewhere.refused("plperlu", json!({"schema": "app"}), &offered()), ["wrong-value"]);
}

#[test]
fn timescaledb_must_have_been_preloaded() {
    let mut weights = offered();
    weights[0] = find("server", "", "db", &[], (true, false));
    assert_eq!(World::new(&[]).refused("timescaledb", json!({}), &weights), ["extension-not-preloaded"]);
    assert_eq!(World::new(&[]).refused("hstore", json!({}), &weights), Vec::<&str>::new());
}

#[test]
fn a_required_extension_may_be_there_or_come_before() {
    let mut world = World::new(&[]);
    let mut weights = offered();
    weights.push(find("installed", "cube", "1.5", &[], (false, false)));
    assert_eq!(world.refused("earthdistance", json!({}), &weights), Vec::<&str>::new());
    world.add("cube", json!({}));
    assert_eq!(world.refused("earthdistance", json!({}), &offered()), Vec::<&str>::new());
    weights = offered();
    weights.push(find("version", "bool_plperl", "1.0", &["", "plperl"], (true, true)));
    weights.push(find("available", "bool_plperl", "1.0", &[], (false, false)));
    world.add("plperl", json!({}));
    let found = world.judge("bool_plperl", json!({}), &weights).diagnostics;
    assert_eq!(codes(&found), ["extension-requires"]);
    assert_eq!(found[0].related.len(), 1);
}

#[test]
fn one_that_another_may_bring_along_is_created_only_if_missing() {
    let mut world = World::new(&[]);
    let may_exist = |world: &World, name: &str| {
        let delta = world.delta(name, json!({}));
        Extension.context(&delta, &world.view())["may_exist"].clone()
    };
    assert_eq!(may_exist(&world, "plperl"), Value::Bool(false));
    world.add("bool_plperl", json!({"cascade": true}));
    assert_eq!(may_exist(&world, "plperl"), Value::Bool(true));
    assert_eq!(may_exist(&world, "adminpack"), Value::Bool(false));
}

#[test]
fn a_version_changes_along_a_path_and_never_for_timescaledb() {
    let world = World::new(&[
        live("hstore", "1.7", "public", true, true),
        live("timescaledb", "2.28.0", "public", false, true),
        live("cube", "1.5", "public", true, false),
    ]);
    let mut weights = offered();
    assert_eq!(world.refused("hstore", json!({"version": "1.8"}), &weights), ["cannot-change"]);
    weights.push(find("path", "hstore", "1.8", &[], (true, false)));
    assert_eq!(world.refused("hstore", json!({"version": "1.8"}), &weights), Vec::<&str>::new());
    assert_eq!(world.refused("hstore", json!({"version": "3"}), &weights), ["extension-unavailable"]);
    assert_eq!(world.refused("timescaledb", json!({"version": "2.29.2"}), &weights), ["cannot-change"]);
    assert_eq!(world.refused("cube", json!({"version": "1.6"}), &weights), ["no-privilege"]);
    let delta = world.delta("hstore", json!({"version": "1.8"}));
    let query = Extension.weigh(&[&delta], &world.view()).unwrap();
    assert_eq!(query.params[2], Param::texts(["1.7"]));
    assert_eq!(query.params[3], Param::texts(["1.8"]));
}

#[test]
fn only_a_relocatable_extension_moves() {
    let world =
        World::new(&[live("hstore", "1.7", "public", true, true), live("plpgsql", "1.0", "pg_catalog", false, true)]);
    assert_eq!(world.refused("hstore", json!({"schema": "app"}), &offered()), Vec::<&str>::new());
    assert_eq!(world.refused("hstore", json!({"schema": "nope"}), &offered()), ["unknown-schema"]);
    assert_eq!(world.refused("plpgsql", json!({"schema": "app"}), &offered()), ["cannot-change"]);
}

#[test]
fn a_drop_takes_nothing_along_unseen() {
    let absent = || json!({"ensure": "absent"});
    let world = World::new(&[
        live("hstore", "1.7", "public", true, true),
        live("timescaledb", "2.28.0", "public", false, true),
    ]);
    assert_eq!(world.judge("hstore", absent(), &offered()), Judgement::default());
    let mut weights: Vec<Row> =
        (0..7).map(|i| find("dependent", "hstore", &format!("column c{i} of table t"), &[], (false, false))).collect();
    let found = world.judge("hstore", absent(), &weights).diagnostics;
    assert_eq!(codes(&found), ["cannot-change"]);
    assert!(found[0].message.ends_with("column c4 of table t and 2 more"), "{}", found[0].message);
    weights = vec![find("table", "hstore", "public.kept", &[], (false, false))];
    let judgement = world.judge("hstore", absent(), &weights);
    assert_eq!(judgement.hazards, [Hazard::DeletesData]);
    assert_eq!(judgement.impact.unwrap().rows, Some(5));
    assert_eq!(world.refused("timescaledb", absent(), &[]), ["cannot-change"]);
}
