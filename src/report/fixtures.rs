//! A plan, a drift report, a run and a ledger with something of everything.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::core::{
    Action, Address, AttributeChange, Bytes, Fingerprint, Hazard, Impact, KindId, Lock, LockMode, Named, Op,
    QualifiedName, Reason, SourceLine, SqlText, Step, Value,
};
use crate::diff::{Drift, DriftAttribute, Status};
use crate::plan::artifact::TargetTimescale;
use crate::plan::{Adopt, Message, Plan, Policies, Summary, Target, Unmanaged};
use crate::report::{
    ActionOutcome, LogLine, Outcome, Problem, ResourceLine, RunDetail, RunReport, StepLine, StoppedAt, Verification,
};

pub(super) fn table(name: &str) -> QualifiedName {
    QualifiedName::new("public", name)
}

pub(super) fn address(kind: &str, object: &QualifiedName) -> Address {
    Address::in_schema(KindId::read(kind), object)
}

pub(super) fn target() -> Target {
    Target {
        host: "db.example".to_owned(),
        port: 5432,
        database: "trading".to_owned(),
        database_oid: 16_384,
        system_identifier: "7412345678901234567".to_owned(),
        server_version: "17.5 (Debian 17.5-1)".to_owned(),
        timescaledb: Some(TargetTimescale { version: "2.23.0".to_owned(), license: "timescale".to_owned() }),
        name: None,
    }
}

pub(super) fn action(op: Op, reason: Reason, kind: &str, object: &str, on: &str) -> Action {
    Action {
        address: address(kind, &table(object)),
        on: Some(table(on)),
        op,
        reason,
        attributes: Vec::new(),
        steps: Vec::new(),
        hazards: Vec::new(),
        impact: None,
        protect: false,
        desired: Named::new(),
        fingerprint: Fingerprint::of(b"seen"),
        source: Some(SourceLine { file: format!("policies/{on}.yaml"), line: 8 }),
        classes: BTreeMap::new(),
        takes: Vec::new(),
    }
}

pub(super) fn change(name: &str, before: Json, after: Json) -> AttributeChange {
    AttributeChange { name: name.to_owned(), label: None, before, after, alike: None }
}

pub(super) fn step(sql: &str, mode: LockMode, on: &str) -> Step {
    let lock = Lock { mode, on: on.to_owned(), blocks: mode.blocks().to_owned() };
    Step { sql: sql.to_owned(), transactional: true, lock: Some(lock), separate: false, task: None }
}

pub(super) fn message(severity: &str, code: &str, text: &str) -> Message {
    Message {
        code: code.to_owned(),
        severity: severity.to_owned(),
        message: text.to_owned(),
        about: None,
        source: Some(SourceLine { file: "policies/trades.yaml".to_owned(), line: 4 }),
        why: Some("the server cannot take a partitioning column away".to_owned()),
        help: Some("keep `time`, or make a new table and copy the rows".to_owned()),
    }
}

fn of(actions: Vec<Action>) -> Plan {
    Plan {
        format_version: 1,
        tool_version: "0.1.0".to_owned(),
        target: target(),
        policies: Policies { digest: Fingerprint::of(b"policies"), files: Vec::new() },
        fingerprint: Fingerprint::of(b"all"),
        summary: Summary::of(&actions),
        actions,
        drift: Vec::new(),
        unmanaged: Vec::new(),
        adopt: Vec::new(),
        moved: Vec::new(),
        beside: Vec::new(),
        around: Vec::new(),
        forget: Vec::new(),
        due: Vec::new(),
        operations: Vec::new(),
        release: Vec::new(),
        diagnostics: Vec::new(),
        guardrails: Vec::new(),
        guarded: BTreeMap::new(),
        digest: Fingerprint::read(""),
    }
}

/// A plan of some actions and nothing else.
pub(super) fn plan_of(actions: Vec<Action>) -> Plan {
    of(actions)
}

/// A plan that finds nothing to do.
pub(super) fn empty_plan() -> Plan {
    let adopt = |name: &str| Adopt {
        address: address("retention", &table(name)),
        on: Some(table(name)),
        desired: Named::new(),
        fingerprint: Fingerprint::of(b""),
        new: true,
        source: None,
    };
    Plan { adopt: vec![adopt("trades"), adopt("market_data")], drift: vec![paused()], ..of(Vec::new()) }
}

fn paused() -> Drift {
    Drift {
        address: address("retention", &table("system_logs")),
        on: Some(table("system_logs")),
        status: Status::Paused,
        goes: false,
        attributes: Vec::new(),
    }
}

fn extension() -> Action {
    Action {
        address: Address::global(KindId::new("extension"), "timescaledb"),
        on: None,
        attributes: vec![change("version", json!(null), json!("2.23.0"))],
        steps: vec![Step {
            sql: "CREATE EXTENSION timescaledb VERSION '2.23.0'".to_owned(),
            transactional: true,
            lock: None,
            separate: false,
            task: None,
        }],
        source: Some(SourceLine { file: "policies/database.yaml".to_owned(), line: 1 }),
        ..action(Op::Create, Reason::Missing, "extension", "timescaledb", "x")
    }
}

fn columnstore() -> Action {
    Action {
        attributes: vec![
            change("after", json!(null), json!("7 days")),
            change("order_by", json!(null), json!(["time desc", "exchange"])),
            change("segment_by", json!(null), json!(["symbol"])),
        ],
        steps: vec![
            step(
                "ALTER TABLE public.market_data SET (\n    timescaledb.enable_columnstore,\n    \
                 timescaledb.segmentby = 'symbol'\n)",
                LockMode::AccessExclusive,
                "public.market_data",
            ),
            step(
                "CALL public.add_columnstore_policy('public.market_data', after => INTERVAL '7 days')",
                LockMode::ShareUpdateExclusive,
                "public.market_data",
            ),
        ],
        ..action(Op::Create, Reason::Missing, "columnstore", "market_data", "market_data")
    }
}

pub(super) fn retention() -> Action {
    Action {
        attributes: vec![
            change("drop_after", json!("90 days"), json!("30 days")),
            change("schedule.every", json!("1 day"), json!("12 hours")),
        ],
        steps: vec![step(
            "SELECT public.alter_job(1012, config => '{\"drop_after\": \"30 days\"}')",
            LockMode::RowExclusive,
            "public.market_data",
        )],
        hazards: vec![Hazard::DeletesData],
        impact: Some(Impact {
            verb: "drops".to_owned(),
            when: Some("on its first run".to_owned()),
            chunks: Some(12),
            bytes: Some(Bytes(41_016_000_000)),
            oldest: Some("2026-05-01 00:00:00+00".to_owned()),
            notes: vec!["3 of them are not refreshed into `public.daily` yet".to_owned()],
            ..Impact::default()
        }),
        ..action(Op::Update, Reason::Drifted, "retention", "market_data", "market_data")
    }
}

fn replaced_index() -> Action {
    let mut build = step(
        "CREATE INDEX ix_market_data_symbol_time\n    ON public.market_data (symbol, \"time\" DESC)\n    \
         WITH (timescaledb.transaction_per_chunk)",
        LockMode::Share,
        "each chunk of public.market_data, one after another",
    );
    build.transactional = false;
    Action {
        attributes: vec![change("columns", json!(["symbol"]), json!(["symbol", "time desc"]))],
        steps: vec![
            step(
                "DROP INDEX public.ix_market_data_symbol_time",
                LockMode::AccessExclusive,
                "public.ix_market_data_symbol_time",
            ),
            build,
        ],
        hazards: vec![Hazard::BuildsIndex],
        impact: Some(Impact {
            verb: "builds an index over".to_owned(),
            chunks: Some(31),
            rows: Some(1_204_000),
            bytes: Some(Bytes(98_000_000)),
            ..Impact::default()
        }),
        ..action(Op::Replace, Reason::Differs, "index", "ix_market_data_symbol_time", "market_data")
    }
}

fn removed_index() -> Action {
    Action {
        attributes: vec![
            change("columns", json!(["price"]), json!(null)),
            change("method", json!("btree"), json!(null)),
            change("where", json!(null), json!(null)),
        ],
        steps: vec![step("DROP INDEX public.ix_price", LockMode::AccessExclusive, "public.ix_price")],
        source: None,
        ..action(Op::Remove, Reason::Dropped, "index", "ix_price", "market_data")
    }
}

fn moved() -> Action {
    Action {
        attributes: vec![change("migrate_data", json!(null), json!(true))],
        steps: vec![step(
            "SELECT public.create_hypertable('public.snapshots'::regclass)",
            LockMode::AccessExclusive,
            "public.snapshots",
        )],
        hazards: vec![Hazard::RewritesTable, Hazard::BlocksWrites, Hazard::BlocksReads],
        impact: Some(Impact { verb: "moves every row into chunks".to_owned(), ..Impact::default() }),
        ..action(Op::Create, Reason::Missing, "hypertable", "snapshots", "snapshots")
    }
}

fn blocked() -> Action {
    Action {
        attributes: vec![change("time_column", json!("time"), json!("received_at"))],
        ..action(Op::Blocked, Reason::Differs, "hypertable", "trades", "trades")
    }
}

fn predicate() -> Action {
    let before = "((price > (0)::numeric) AND (symbol <> 'TEST'::text))";
    let after =
        "((price > (0)::numeric) AND (symbol <> ALL (ARRAY['TEST'::text, 'DEMO'::text])) AND (venue IS NOT NULL))";
    Action {
        attributes: vec![change("where", json!(before), json!(after))],
        steps: vec![step("DROP INDEX public.ix_live", LockMode::AccessExclusive, "public.ix_live")],
        hazards: vec![Hazard::BuildsIndex],
        desired: Named::from_iter([("where".to_owned(), Value::Sql(SqlText::new(after).unwrap()))]),
        ..action(Op::Replace, Reason::Differs, "index", "ix_live", "trades")
    }
}

/// A plan with every verb, a danger, a blocked change and all that stands beside.
pub(super) fn full_plan() -> Plan {
    let actions = vec![
        extension(),
        removed_index(),
        columnstore(),
        retention(),
        replaced_index(),
        moved(),
        blocked(),
        predicate(),
    ];
    let unmanaged = |kind: &str, name: &str| Unmanaged {
        address: address(kind, &table(name)),
        on: Some(table("trades")),
        what: None,
    };
    Plan {
        unmanaged: vec![unmanaged("index", "ix_by_hand"), unmanaged("reorder", "trades")],
        forget: vec![unmanaged("index", "ix_gone")],
        diagnostics: vec![
            message(
                "error",
                "cannot-change",
                "`time_column` of hypertable.public.trades cannot be changed from time to received_at",
            ),
            message("warning", "orphaned", "index.public.ix_old was applied, and no policy describes its table"),
        ],
        ..Plan { adopt: empty_plan().adopt, ..of(actions) }
    }
}

/// The full plan without what is blocked.
pub(super) fn dangerous_plan() -> Plan {
    let actions = full_plan().actions.into_iter().filter(|action| action.op != Op::Blocked).collect();
    Plan { diagnostics: Vec::new(), ..of(actions) }
}

/// A resource in each standing.
pub(super) fn standings() -> Vec<Drift> {
    let drift = |status: Status, kind: &str, name: &str, on: &str, attributes: Vec<DriftAttribute>| Drift {
        address: address(kind, &table(name)),
        on: Some(table(on)),
        status,
        goes: false,
        attributes,
    };
    let attribute = |name: &str, applied: Json, live: Json, desired: Json| DriftAttribute {
        name: name.to_owned(),
        label: None,
        applied,
        live,
        desired,
    };
    vec![
        drift(Status::InSync, "hypertable", "market_data", "market_data", Vec::new()),
        drift(
            Status::Drifted,
            "retention",
            "market_data",
            "market_data",
            vec![
                attribute("drop_after", json!("90 days"), json!("30 days"), json!("90 days")),
                attribute("schedule.every", json!("1 day"), json!("12 hours"), json!("1 day")),
            ],
        ),
        drift(
            Status::Missing,
            "index",
            "ix_symbol_time",
            "market_data",
            vec![attribute("columns", json!(["symbol", "time desc"]), json!(null), json!(["symbol", "time desc"]))],
        ),
        drift(
            Status::Conflict,
            "columnstore",
            "trades",
            "trades",
            vec![attribute("segment_by", json!(["symbol"]), json!(["exchange"]), json!(["symbol", "exchange"]))],
        ),
        drift(
            Status::Pending,
            "storage",
            "trades",
            "trades",
            vec![attribute("autovacuum_vacuum_scale_factor", json!(null), json!(null), json!("0.02"))],
        ),
        paused(),
        drift(Status::Unmanaged, "index", "ix_by_hand", "trades", Vec::new()),
    ]
}

/// A run that stopped at its third action.
pub(super) fn stopped_run() -> RunReport {
    let outcome = |action: &Action, outcome, millis, error: Option<&str>, done| ActionOutcome {
        address: action.address.clone(),
        on: action.on.clone(),
        op: action.op,
        outcome,
        elapsed: Duration::from_millis(millis),
        error: error.map(str::to_owned),
        steps_done: done,
        steps_total: action.steps.len(),
    };
    let refused =
        "could not create unique index \"ix_market_data_symbol_time\" (SQLSTATE 23505)\nKey (symbol) is duplicated.";
    RunReport {
        target: None,
        run: Some(12),
        database: "trading".to_owned(),
        actions: vec![
            outcome(&columnstore(), Outcome::Done, 1_240, None, 2),
            outcome(&retention(), Outcome::Done, 45, None, 1),
            outcome(&replaced_index(), Outcome::Failed, 184_000, Some(refused), 1),
            outcome(&removed_index(), Outcome::Skipped, 0, None, 0),
        ],
        adopted: 2,
        elapsed: Duration::from_millis(185_400),
        interrupted: false,
        stopped_at: Some(StoppedAt { address: replaced_index().address, step: 2, sql: "CREATE INDEX".to_owned() }),
    }
}

/// Three runs.
pub(super) fn log() -> Vec<LogLine> {
    let line = |run, when: i64, outcome: &str, counts: &[(&str, u64)], millis| LogLine {
        run,
        when,
        command: "apply".to_owned(),
        who: "ada@build-3".to_owned(),
        database: "trading".to_owned(),
        outcome: outcome.to_owned(),
        summary: counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
        elapsed: Some(Duration::from_millis(millis)),
    };
    let unfinished = LogLine { elapsed: None, ..line(13, 1_795_450_000_000_000, "unfinished", &[], 0) };
    vec![
        unfinished,
        line(
            12,
            1_795_446_245_000_000,
            "failed",
            &[("create", 1), ("update", 1), ("failed", 1), ("remove", 0)],
            185_400,
        ),
        line(9, 1_795_359_845_000_000, "done", &[("create", 14), ("adopt", 2)], 3_210),
    ]
}

/// One of them.
pub(super) fn detail() -> RunDetail {
    let step = |action: &Action, index: usize, state: &str, millis, error: Option<&str>| StepLine {
        address: action.address.to_string(),
        op: action.op,
        sql: action.steps[index].sql.clone(),
        state: state.to_owned(),
        elapsed: Some(Duration::from_millis(millis)),
        error: error.map(str::to_owned),
        note: None,
    };
    RunDetail {
        run: log().remove(1),
        role: Some("dba".to_owned()),
        plan_digest: Some(Fingerprint::of(b"plan").as_str().to_owned()),
        policies_digest: None,
        steps: vec![
            step(&columnstore(), 0, "done", 1_100, None),
            step(&replaced_index(), 1, "failed", 184_000, Some("could not create unique index")),
        ],
        resources: vec![ResourceLine { address: columnstore().address.to_string(), change: "applied".to_owned() }],
    }
}

/// A ledger that somebody wrote in.
pub(super) fn broken() -> Verification {
    Verification {
        file: ".chronoform/ledger.db".to_owned(),
        entries: 214,
        head: Some(Fingerprint::of(b"head").as_str().to_owned()),
        problems: vec![Problem { entry: Some(17), message: "its hash does not match its content".to_owned() }],
    }
}
