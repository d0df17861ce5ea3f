//! A server, a table and rows made by hand, for the tests of kinds.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::core::{
    Address, Cell, Change, Delta, Desired, Edition, Interval, Live, Op, Place, QualifiedName, Reason, Row, Server,
    Timescale, Value, Version,
};
use crate::diag::{Diagnostic, Places};
use crate::kinds::view::types;
use crate::kinds::{
    Canon, Column, Dimension, Head, Hypertable, Judgement, Kind, Relation, RelationKind, Relations, SectionInput, View,
};

/// The one relation.
pub fn on() -> QualifiedName {
    QualifiedName::new("public", "trades")
}

pub fn place() -> Place {
    Place { file: "p.yaml".into(), line: 3, column: 1, start: 0, end: 1, via: None }
}

pub fn codes(sink: &[Diagnostic]) -> Vec<&'static str> {
    sink.iter().map(|diagnostic| diagnostic.code.name).collect()
}

/// A Community server of a TimescaleDB version.
pub fn server(version: &str) -> Server {
    Server {
        host: "h".into(),
        port: 1,
        database: "db".into(),
        system_identifier: "1".into(),
        database_oid: 1,
        version_text: "17.5".into(),
        version: Version::new(17, 5),
        timescaledb: Some(Timescale {
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

/// The table with rows, not yet a hypertable.
pub fn table() -> Relation {
    Relation {
        oid: 7,
        name: on(),
        kind: RelationKind::Table,
        columns: vec![
            column("time", "timestamp with time zone", types::TIMESTAMPTZ),
            column("tick", "integer", types::INT4),
            column("symbol", "text", 25),
            column("venue", "text", 25),
            column("price", "double precision", 701),
            column("fee", "money", 790),
            column("doc", "json", 114),
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

fn hypertable(dimension: Dimension) -> Relation {
    let shape = Hypertable { id: 5, dimensions: vec![dimension], columnstore: false, chunks: 3, begun: false };
    Relation { hypertable: Some(shape), ..table() }
}

/// A hypertable by day.
pub fn daily() -> Relation {
    hypertable(Dimension {
        column: "time".into(),
        interval: Some(Interval::days(1)),
        integer_interval: None,
        integer_now: None,
        inherits_now: false,
        present: None,
        partitions: None,
    })
}

/// A hypertable by whole numbers, with or without what tells their present.
pub fn ticking(now: Option<&str>) -> Relation {
    hypertable(Dimension {
        column: "tick".into(),
        interval: None,
        integer_interval: Some(100),
        integer_now: now.map(|name| QualifiedName::new("public", name)),
        inherits_now: false,
        present: now.map(|_| Ok(1000)),
        partitions: None,
    })
}

/// A catalog row.
pub fn row(cells: &[(&str, Cell)]) -> Row {
    let columns: Arc<[String]> = cells.iter().map(|(name, _)| (*name).to_owned()).collect();
    Row::new(columns, cells.iter().map(|(_, cell)| cell.clone()).collect())
}

pub fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

pub fn texts(texts: &[&str]) -> Cell {
    Cell::List(texts.iter().map(|item| text(item)).collect())
}

/// The job's columns, as TimescaleDB adds a policy, and others that replace some of them.
pub fn job_row(others: &[(&str, Cell)]) -> Row {
    let usual = [
        ("schema", text("public")),
        ("name", text("trades")),
        ("of_somebody", Cell::Bool(false)),
        ("job_id", Cell::Int(1000)),
        ("schedule_interval", Cell::Interval(Interval::days(1))),
        ("max_runtime", Cell::Interval(Interval::default())),
        ("max_retries", Cell::Int(-1)),
        ("retry_period", Cell::Interval(Interval::micros(300_000_000))),
        ("scheduled", Cell::Bool(true)),
        ("fixed_schedule", Cell::Bool(false)),
    ];
    let replaced = |name: &str| others.iter().any(|(other, _)| *other == name);
    let kept = usual.into_iter().filter(|(name, _)| !replaced(name));
    row(&kept.chain(others.iter().cloned()).collect::<Vec<_>>())
}

/// A section's input.
fn input<T>(value: &Json, then: impl FnOnce(&SectionInput<'_>) -> T) -> T {
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
    then(&SectionInput { head: &head, value, places: &places, pointer: "/section" })
}

/// What is read from an input of a value.
pub fn with_value<T>(value: &Json, then: impl FnOnce(&SectionInput<'_>) -> T) -> T {
    input(value, then)
}

/// What is read from an input whose value does not matter.
pub fn with_input<T>(then: impl FnOnce(&SectionInput<'_>) -> T) -> T {
    input(&Json::Null, then)
}

/// A section, expanded.
pub fn expand(kind: &dyn Kind, value: &Json) -> (Vec<Desired>, Vec<Diagnostic>) {
    let mut sink = Vec::new();
    let found = input(value, |input| (kind.sections()[0].expand)(input, &mut sink));
    (found, sink)
}

/// A section's one resource.
pub fn desired(kind: &dyn Kind, value: &Json) -> Desired {
    let (mut found, sink) = expand(kind, value);
    assert_eq!(codes(&sink), Vec::<&str>::new());
    found.remove(0)
}

/// A live side of one relation.
pub struct World {
    pub server: Server,
    pub relations: Relations,
    pub live: BTreeMap<Address, Live>,
    pub desired: BTreeMap<Address, Desired>,
    pub canon: Canon,
}

impl World {
    pub fn new(version: &str, relation: Relation) -> Self {
        let relations = Relations::from([(relation.name.clone(), relation)]);
        let (live, desired, canon) = (BTreeMap::new(), BTreeMap::new(), Canon::new());
        Self { server: server(version), relations, live, desired, canon }
    }

    /// The same with what the kind reads from rows.
    pub fn with(mut self, kind: &dyn Kind, rows: &[Row]) -> Self {
        let found = kind.read(rows, &self.relations).unwrap().into_iter();
        self.live.extend(found.map(|live| (live.address.clone(), live)));
        self
    }

    /// The same with another section of the policy.
    pub fn wanting(mut self, kind: &dyn Kind, value: &Json) -> Self {
        let wanted = desired(kind, value);
        self.desired.insert(wanted.address.clone(), wanted);
        self
    }

    pub fn view(&self) -> View<'_> {
        View {
            server: &self.server,
            relations: &self.relations,
            live: &self.live,
            desired: &self.desired,
            canon: &self.canon,
        }
    }

    pub fn settle(&self, kind: &dyn Kind, value: &Json) -> Result<Desired, Vec<&'static str>> {
        let mut sink = Vec::new();
        match kind.settle(&desired(kind, value), &self.view(), &mut sink) {
            Some(settled) if sink.is_empty() => Ok(settled),
            Some(_) => panic!("settled with {:?}", codes(&sink)),
            None => Err(codes(&sink)),
        }
    }

    /// The delta that the differ would make of a settled section.
    pub fn delta(&self, kind: &dyn Kind, value: &Json) -> Delta {
        let settled = self.settle(kind, value).unwrap();
        let live = self.live.get(&settled.address).cloned();
        let changes = settled.attributes.iter().filter_map(|(name, after)| {
            let before = live.as_ref().and_then(|live| live.get(name)).cloned();
            let same = before.as_ref().unwrap_or(&Value::Null) == after;
            (!same).then(|| Change { attribute: name.clone(), before, after: Some(after.clone()) })
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

    /// The delta of a live resource that is to go.
    pub fn removal(&self, kind: &dyn Kind) -> Delta {
        let live = self.live.values().find(|live| live.address.kind == kind.id()).unwrap();
        Delta {
            address: live.address.clone(),
            on: live.on.clone(),
            reason: Reason::Dropped,
            changes: Vec::new(),
            desired: None,
            live: Some(live.clone()),
        }
    }

    pub fn judge(&self, kind: &dyn Kind, delta: &Delta, weights: &[Row]) -> Judgement {
        let op = match (delta.is_create(), delta.is_remove()) {
            (true, _) => Op::Create,
            (_, true) => Op::Remove,
            _ => Op::Update,
        };
        kind.judge(delta, op, weights, &self.view()).unwrap()
    }
}
