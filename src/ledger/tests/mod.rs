//! Tests of the ledger as a whole, each on a file of its own.

mod archived;
mod child;
mod crash;
mod identity;
mod opening;
mod speed;
mod tampering;
mod transfer;
mod writing;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::core::{KindId, Op, QualifiedName, Server, Version};

/// 2026-01-01 00:00:00 UTC.
const NEW_YEAR: i64 = 1_767_225_600_000_000;
const SECOND: i64 = 1_000_000;

/// A ledger in a folder that goes away with it; each write happens a second after the one before.
struct Fixture {
    folder: tempfile::TempDir,
    ledger: Ledger,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(&folder.path().join("ledger.db"));
        Self { folder, ledger }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    fn database(&mut self) -> DatabaseId {
        self.ledger.database(&server("market", 16_384), &Admission::First).unwrap()
    }

    fn run(&mut self) -> RunId {
        let database = self.database();
        self.ledger.begin_run(database, apply()).unwrap()
    }

    fn step(&mut self, run: RunId, index: u32) -> StepId {
        self.ledger.start_step(run, &step(&retention("market_data"), index)).unwrap()
    }

    fn state(&self, run: RunId, step: StepId) -> StepState {
        let detail = self.ledger.show(run).unwrap().unwrap();
        detail.steps.iter().find(|record| record.id == step).unwrap().state
    }

    fn assert_whole(&self) {
        assert_whole(&self.ledger);
    }
}

fn assert_whole(ledger: &Ledger) {
    let verification = ledger.verify().unwrap();
    assert!(verification.holds() && verification.compared, "{:#?}", verification.findings);
}

fn clock() -> Box<dyn Clock> {
    let now = Arc::new(AtomicI64::new(NEW_YEAR));
    Box::new(move || now.fetch_add(SECOND, Ordering::Relaxed))
}

fn open(path: &Path) -> Ledger {
    Ledger::open_with(path, clock()).unwrap()
}

/// Opens without the patience that a user's process has.
fn try_open(path: &Path, access: Access, migrations: &'static [&'static str]) -> Result<Ledger, Diagnostic> {
    let opening = Opening { busy_timeout: Duration::from_millis(30), migrations };
    Ledger::open_as(path, access, clock(), opening)
}

fn raw(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

fn server(database: &str, oid: u32) -> Server {
    Server {
        host: "db.example".to_owned(),
        port: 5432,
        database: database.to_owned(),
        system_identifier: "7000000000000000001".to_owned(),
        database_oid: oid,
        version_text: "17.5".to_owned(),
        version: Version::new(17, 5),
        timescaledb: None,
        timescaledb_available: false,
        user: "deployer".to_owned(),
        superuser: false,
        read_only: false,
        single_session: false,
        now_micros: NEW_YEAR,
    }
}

fn apply() -> RunStart {
    RunStart {
        command: "apply".to_owned(),
        who: Who {
            user: "ada".to_owned(),
            host: "ci-7".to_owned(),
            pid: 42,
            tool_version: "0.1.0".to_owned(),
            revision: Some("8f2c1d0".to_owned()),
            pipeline: None,
            actor: Some("ada".to_owned()),
        },
        role: Some("deployer".to_owned()),
        plan_digest: Some("sha256:plan".to_owned()),
        policies_digest: Some("sha256:policies".to_owned()),
    }
}

fn retention(table: &str) -> Address {
    Address::in_schema(KindId::new("retention"), &QualifiedName::new("public", table))
}

fn step(address: &Address, index: u32) -> StepStart<'_> {
    StepStart {
        archived: &[],
        action: 0,
        index,
        op: Op::Create,
        address,
        sql: "SELECT add_retention_policy('public.market_data', INTERVAL '90 days')",
        transactional: true,
        along: &[],
    }
}

fn applied(address: Address) -> Applied {
    let on = address.object();
    let attributes = crate::core::Named::from_iter([
        ("drop_after".to_owned(), json!("90 days")),
        ("schedule.every".to_owned(), json!({"z": [1, null], "a": true})),
    ]);
    Applied { address, on, attributes, adopted: false, source: None, at: None, begun: None }
}

fn place() -> Place {
    Place { file: "policies/market.yaml".into(), line: 7, column: 1, start: 0, end: 1, via: None }
}

/// A database, a run that did three statements and left one resource, and a run that crashed.
fn eventful() -> Fixture {
    let mut fixture = Fixture::new();
    let run = fixture.run();
    let (first, second, third) = (fixture.step(run, 0), fixture.step(run, 1), fixture.step(run, 2));
    fixture.ledger.finish_steps(&[first, second], &StepEnd::done().after(Duration::from_millis(12))).unwrap();
    fixture.ledger.finish_step(third, &StepEnd::failed("no such column: \"tíme\"", Some("42703"))).unwrap();
    fixture.ledger.record_applied(run, &applied(retention("market_data")), Some(&place())).unwrap();
    let extension = Applied { adopted: true, ..applied(Address::global(KindId::new("extension"), "timescaledb")) };
    fixture.ledger.record_applied(run, &extension, None).unwrap();
    fixture.ledger.record_applied(run, &applied(retention("trades")), None).unwrap();
    fixture.ledger.forget(run, &retention("trades")).unwrap();
    fixture.ledger.finish_run(run, RunOutcome::Failed, &BTreeMap::from([("create".to_owned(), 2)])).unwrap();
    let database = fixture.database();
    let observed = Observed {
        address: retention("market_data"),
        status: "drifted".to_owned(),
        fingerprint: "sha256:1".to_owned(),
    };
    fixture.ledger.write(|batch| batch.record_drift(database, &[observed])).unwrap();
    fixture.ledger.write(|batch| batch.record_proved(archived::files("/srv/archive", &["sha256:a"]))).unwrap();
    let crashed = fixture.run();
    let lost = fixture.step(crashed, 0);
    let along = retention("market_data");
    let taken = [crate::core::Taken { address: along.clone(), paused: true, away: true, within: false }];
    let archived = [archived::chunk(1)];
    let anew = StepStart { op: Op::Replace, along: &taken, archived: &archived, ..step(&along, 1) };
    fixture.ledger.start_step(crashed, &anew).unwrap();
    fixture.ledger.settle(lost, true, "the job is there").unwrap();
    fixture
}
