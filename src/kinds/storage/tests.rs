//! Reading, settling and choosing, with relations and rows made by hand.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::core::{Address, Cell, Change, Place, Reason, Version};
use crate::diag::Places;
use crate::kinds::{Canon, Head, Hypertable, SectionInput};

fn place() -> Place {
    Place { file: "p.yaml".into(), line: 3, column: 1, start: 0, end: 1, via: None }
}

fn on() -> QualifiedName {
    QualifiedName::new("public", "ticks")
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
    let input = SectionInput { head: &head, value, places: &places, pointer: "/storage" };
    let mut sink = Vec::new();
    let found = desired::expand(&input, &mut sink);
    (found, codes(&sink))
}

fn relation(hypertable: bool) -> Relation {
    Relation {
        oid: 7,
        name: on(),
        kind: RelationKind::Table,
        columns: Vec::new(),
        hypertable: hypertable.then(|| Hypertable {
            id: 1,
            dimensions: Vec::new(),
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

/// One table's parameters, as the query gives them.
fn row(options: &[&str], toast: &[&str], lacking: &[&str], toast_lacking: &[&str]) -> Row {
    let list = |items: &[&str]| match items {
        [] => Cell::Null,
        items => Cell::List(items.iter().map(|item| Cell::Text((*item).to_owned())).collect()),
    };
    let columns = ["oid", "options", "toast_options", "lacking", "toast_lacking"];
    let columns: Arc<[String]> = columns.map(str::to_owned).into_iter().collect();
    Row::new(columns, vec![Cell::Int(7), list(options), list(toast), list(lacking), list(toast_lacking)])
}

struct World {
    server: Server,
    relations: Relations,
    live: BTreeMap<Address, Live>,
    desired: BTreeMap<Address, Desired>,
    canon: Canon,
}

impl World {
    fn new(relation: Relation, rows: &[Row]) -> Self {
        let relations = Relations::from([(on(), relation)]);
        let live = observe::read(rows, &relations).unwrap();
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
        let live = live.into_iter().map(|live| (live.address.clone(), live)).collect();
        Self { server, relations, live, desired: BTreeMap::new(), canon: Canon::new() }
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
        let settled = Storage.settle(&expand(value).0[0], &self.view(), &mut sink);
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

    /// What a policy sets and resets.
    fn statements(&self, value: &Json) -> (Vec<String>, Vec<String>) {
        let delta = self.delta(value);
        let (set, reset) = parameters(&delta);
        let set = set.into_iter().map(|(name, value)| format!("{name}={value}"));
        (set.collect(), reset.into_iter().map(str::to_owned).collect())
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn parameters_are_checked_offline_and_have_one_form() {
    let (found, said) = expand(&json!({"fillfactor": "80", "autovacuum_vacuum_scale_factor": 0.020,
        "toast.autovacuum_enabled": "off", "parallel_workers": null}));
    assert_eq!(said, Vec::<&str>::new());
    let shown: Vec<String> = found[0].attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        shown,
        [
            "autovacuum_vacuum_scale_factor=0.02",
            "fillfactor=80",
            "parallel_workers=none",
            "toast.autovacuum_enabled=false"
        ]
    );
    for (value, code) in [
        (json!({"fillfactor": 5}), "wrong-value"),
        (json!({"toast.fillfactor": true, "autovacuum_enabled": "perhaps"}), "wrong-value"),
        (json!({"timescaledb.compress": true}), "unknown-key"),
        (json!({"toast.a.b": true}), "unknown-key"),
        (json!({"": true}), "bad-name"),
    ] {
        let (found, said) = expand(&value);
        assert!(found.is_empty() && said.contains(&code), "{value}: {said:?}");
    }
    // The server may know more than this version.
    let (found, said) = expand(&json!({"filfactor": 5, "x; DROP TABLE y": "z"}));
    assert_eq!((found.len(), said), (1, vec!["unknown-storage-parameter"; 2]));
    assert!(expand(&json!({"ensure": "absent", "fillfactor": 5})).0[0].attributes.is_empty());
}

#[test]
fn only_what_differs_is_set_and_reset() {
    let world = World::new(
        relation(false),
        &[row(&["fillfactor=070", "autovacuum_enabled=on"], &["vacuum_truncate=0"], &[], &[])],
    );
    assert_eq!(
        world.statements(&json!({"fillfactor": 70, "autovacuum_enabled": true, "toast.vacuum_truncate": false})),
        (Vec::new(), Vec::new())
    );
    assert_eq!(
        world.statements(&json!({"fillfactor": 80, "autovacuum_enabled": null, "toast.vacuum_truncate": null,
            "parallel_workers": null})),
        (owned(&["fillfactor=80"]), owned(&["autovacuum_enabled", "toast.vacuum_truncate"]))
    );
    let bare = World::new(relation(false), &[]);
    assert_eq!(bare.settle(&json!({"fillfactor": null})), (None, Vec::new()));
    assert_eq!(bare.statements(&json!({"fillfactor": 80, "parallel_workers": null})).0, owned(&["fillfactor=80"]));
    assert!(bare.settle(&json!({"ensure": "absent"})).0.is_some());
}

#[test]
fn chunks_that_lack_a_managed_parameter_get_it_again() {
    let rows = [row(&["fillfactor=80", "parallel_workers=2"], &[], &["fillfactor=80", "parallel_workers=2"], &[])];
    let world = World::new(relation(true), &rows);
    assert_eq!(world.statements(&json!({"fillfactor": 80})), (owned(&["fillfactor=80"]), Vec::new()));
    assert_eq!(world.delta(&json!({"autovacuum_enabled": true})).changes.len(), 1);
    assert_eq!(world.statements(&json!({"fillfactor": null})), (Vec::new(), owned(&["fillfactor"])));
    let inherited = World::new(relation(false), &rows);
    assert_eq!(inherited.delta(&json!({"fillfactor": 80})).changes, Vec::new());
    let toast = [row(&[], &["autovacuum_enabled=off"], &[], &["autovacuum_enabled=off"])];
    let world = World::new(relation(true), &toast);
    let value = json!({"toast.autovacuum_enabled": false});
    assert_eq!(world.settle(&value).1, ["toast-of-new-chunks"]);
    assert_eq!(world.statements(&value).0, owned(&["toast.autovacuum_enabled=false"]));
}

#[test]
fn the_lock_is_that_of_the_strongest_parameter() {
    let world = World::new(relation(false), &[]);
    let gentle = |value: &Json| Storage.holds(GENTLE, &world.delta(value), &[], &world.view());
    assert!(gentle(&json!({"fillfactor": 80, "toast.autovacuum_enabled": false})));
    assert!(!gentle(&json!({"fillfactor": 80, "user_catalog_table": true})));
    assert!(!gentle(&json!({"fillfactor": 80, "something_new": 1})));
    assert!(!Storage.holds("another", &world.delta(&json!({"fillfactor": 80})), &[], &world.view()));
}

#[test]
fn what_has_no_storage_has_no_parameters() {
    for kind in [RelationKind::View, RelationKind::PartitionedTable, RelationKind::ForeignTable, RelationKind::Other] {
        let world = World::new(Relation { kind, ..relation(false) }, &[]);
        assert_eq!(world.settle(&json!({"fillfactor": 80})), (None, vec!["not-a-table"]));
    }
    let world = World::new(relation(false), &[]);
    let delta = world.delta(&json!({"fillfactor": 80, "toast.autovacuum_enabled": false}));
    assert!(Storage.weigh(&[&delta], &world.view()).is_some());
    let without: Arc<[String]> = ["without_toast".to_owned()].into_iter().collect();
    let judged = |oid: i64| {
        let weights = [Row::new(without.clone(), vec![Cell::Int(oid)])];
        codes(&Storage.judge(&delta, Op::Create, &weights, &world.view()).unwrap().diagnostics)
    };
    assert_eq!((judged(7), judged(8)), (vec!["no-toast-table"], vec![]));
    assert!(Storage.weigh(&[&world.delta(&json!({"fillfactor": 80}))], &world.view()).is_none());
}

#[test]
fn every_parameter_but_the_chunks_own_goes_when_it_is_taken_out() {
    assert!(Storage.forgets("fillfactor") && Storage.forgets("toast.autovacuum_enabled"));
    assert!(!Storage.forgets(CHUNKS_WITHOUT));
}

/// The servers are asked in a case whether they take each parameter, and show it as it was set. Those of
/// PostgreSQL 18 are not among them.
#[test]
fn a_case_has_every_parameter_that_the_servers_know() {
    const OF_18: [&str; 2] = ["autovacuum_vacuum_max_threshold", "vacuum_max_eager_freeze_failure_rate"];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/storage/create_with_every_parameter/policy.yaml");
    let policy = std::fs::read_to_string(folder).unwrap();
    for (owner, prefix) in [("table", ""), ("toast", TOAST)] {
        for parameter in reloption::all_of(|word| word == owner).filter(|known| !OF_18.contains(&known.name)) {
            let line = format!("\n  {prefix}{}: ", parameter.name);
            assert_eq!(policy.matches(&line).count(), 1, "{prefix}{}", parameter.name);
        }
    }
}
