//! What is written is read back, whole or not at all.

use super::*;
use crate::core::SourceLine;

#[test]
fn a_run_is_told_from_its_beginning_to_its_end() {
    let mut fixture = Fixture::new();
    let run = fixture.run();
    assert_eq!(fixture.ledger.run(run).unwrap().unwrap().state, RunState::Unfinished);
    let step = fixture.step(run, 0);
    fixture.ledger.finish_step(step, &StepEnd::done().after(Duration::from_millis(1234))).unwrap();
    fixture.ledger.record_applied(run, &applied(retention("market_data")), Some(&place())).unwrap();
    fixture.ledger.finish_run(run, RunOutcome::Done, &BTreeMap::from([("create".to_owned(), 1)])).unwrap();

    let detail = fixture.ledger.show(run).unwrap().unwrap();
    let json = serde_json::to_value(&detail).unwrap();
    let expected = json!({
        "run": {
            "id": 1,
            "database": {
                "id": 1, "system_identifier": "7000000000000000001", "oid": 16384, "name": "market",
                "host": "db.example", "port": 5432, "first_seen": "2026-01-01T00:00:00Z",
                "target": null
            },
            "command": "apply",
            "state": "done",
            "started": "2026-01-01T00:00:01Z",
            "finished": "2026-01-01T00:00:05Z",
            "who": {
                "user": "ada", "host": "ci-7", "pid": 42, "tool_version": "0.1.0", "revision": "8f2c1d0", "actor": "ada"
            },
            "role": "deployer",
            "plan_digest": "sha256:plan",
            "policies_digest": "sha256:policies",
            "summary": {"create": 1},
            "steps": {"total": 1, "done": 1, "failed": 0, "in_doubt": 0}
        },
        "steps": [{
            "id": 1, "run": 1, "action": 0, "index": 0, "op": "create",
            "address": "retention.public.market_data", "kind": "retention", "schema": "public", "name": "market_data",
            "sql": "SELECT add_retention_policy('public.market_data', INTERVAL '90 days')",
            "transactional": true, "state": "done",
            "started": "2026-01-01T00:00:02Z", "finished": "2026-01-01T00:00:03Z",
            "error": null, "sqlstate": null, "elapsed_ms": 1234, "note": null
        }],
        "resources": [{
            "address": "retention.public.market_data", "kind": "retention", "schema": "public", "name": "market_data",
            "change": "applied", "at": "2026-01-01T00:00:04Z", "origin": "created",
            "attributes": {"drop_after": "90 days", "schedule.every": {"a": true, "z": [1, null]}},
            "policy": {"file": "policies/market.yaml", "line": 7}
        }]
    });
    assert_eq!(json, expected);
    assert_eq!(fixture.ledger.show(RunId(99)).unwrap(), None);
    fixture.assert_whole();
}

#[test]
fn what_was_applied_is_remembered_until_it_is_forgotten() {
    let mut fixture = Fixture::new();
    let (database, run) = (fixture.database(), fixture.run());
    let odd = applied(Address::in_schema(KindId::read("index"), &QualifiedName::new("Odd \"schema\"", "a.b'; --😀")));
    let extension =
        Applied { on: None, adopted: true, ..applied(Address::global(KindId::new("extension"), "timescaledb")) };
    let place = Place { file: "policies/a.yaml".into(), line: 3, column: 1, start: 0, end: 0, via: None };
    fixture.ledger.record_applied(run, &odd, Some(&place)).unwrap();
    fixture.ledger.record_applied(run, &extension, None).unwrap();
    let mut remembered = fixture.ledger.applied(database).unwrap();
    assert!(remembered.values_mut().all(|applied| applied.at.take().is_some_and(|at| at.ends_with('Z'))));
    assert_eq!(remembered.len(), 2);
    let source = Some(SourceLine { file: "policies/a.yaml".to_owned(), line: 3 });
    assert_eq!(remembered.get(&odd.address), Some(&Applied { source, ..odd.clone() }));
    assert_eq!(remembered.get(&extension.address), Some(&extension));

    assert!(fixture.ledger.forget(run, &odd.address).unwrap());
    assert!(!fixture.ledger.forget(run, &odd.address).unwrap(), "forgotten twice");
    assert_eq!(fixture.ledger.applied(database).unwrap().into_keys().collect::<Vec<_>>(), [extension.address]);
    fixture.assert_whole();
}

#[test]
fn whoever_made_a_resource_made_it_until_it_is_forgotten() {
    let mut fixture = Fixture::new();
    let (database, run) = (fixture.database(), fixture.run());
    let address = retention("market_data");
    let adopted = Applied { adopted: true, ..applied(address.clone()) };
    let origin = |fixture: &Fixture| fixture.ledger.resources(database).unwrap()[0].origin;
    fixture.ledger.record_applied(run, &adopted, None).unwrap();
    fixture.ledger.record_applied(run, &applied(address.clone()), None).unwrap();
    assert_eq!(origin(&fixture), Origin::Adopted, "altering does not make it ours");
    fixture.ledger.forget(run, &address).unwrap();
    fixture.ledger.record_applied(run, &applied(address), None).unwrap();
    assert_eq!(origin(&fixture), Origin::Created);
    fixture.ledger.record_applied(run, &adopted, None).unwrap();
    assert_eq!(origin(&fixture), Origin::Created, "adopting what is ours does not make it found");
}

#[test]
fn a_statement_without_an_outcome_is_in_doubt_until_it_is_settled() {
    let mut fixture = Fixture::new();
    let (database, run) = (fixture.database(), fixture.run());
    let steps: Vec<StepId> = (0..4).map(|index| fixture.step(run, index)).collect();
    fixture.ledger.finish_step(steps[0], &StepEnd::done()).unwrap();
    fixture.ledger.finish_step(steps[1], &StepEnd::in_doubt("connection lost")).unwrap();
    let ids = |fixture: &Fixture| -> Vec<StepId> {
        fixture.ledger.in_doubt(database).unwrap().iter().map(|step| step.id).collect()
    };
    assert_eq!(ids(&fixture), steps[1..]);

    // The next process finds them, closes the run, and looks at the database.
    fixture.ledger = open(&fixture.path());
    let closed = fixture.ledger.close_crashed(database).unwrap();
    assert_eq!(closed.iter().map(|run| (run.id, run.state)).collect::<Vec<_>>(), [(run, RunState::Crashed)]);
    assert_eq!(closed[0].steps, StepCounts { total: 4, done: 1, failed: 0, in_doubt: 3 });
    assert_eq!(ids(&fixture), steps[1..], "closing a run settles nothing");
    assert!(fixture.ledger.close_crashed(database).unwrap().is_empty());

    fixture.ledger.settle(steps[1], true, "the index is there and valid").unwrap();
    fixture.ledger.settle(steps[2], false, "no such job").unwrap();
    assert_eq!(ids(&fixture), steps[3..]);
    assert_eq!(fixture.state(run, steps[1]), StepState::SettledDone);
    assert_eq!(fixture.state(run, steps[2]), StepState::SettledNotDone);
    let record = fixture.ledger.show(run).unwrap().unwrap().steps.swap_remove(1);
    assert_eq!(record.error.as_deref(), Some("connection lost"), "why it was in doubt is kept");
    assert_eq!(record.note.as_deref(), Some("the index is there and valid"));
    fixture.assert_whole();
}

#[test]
fn a_run_that_ends_leaves_no_statement_open() {
    let mut fixture = Fixture::new();
    let run = fixture.run();
    let step = fixture.step(run, 0);
    fixture.ledger.finish_run(run, RunOutcome::InDoubt, &BTreeMap::new()).unwrap();
    assert_eq!(fixture.state(run, step), StepState::InDoubt);
    fixture.assert_whole();
}

#[test]
fn the_statements_of_a_transaction_end_together() {
    let mut fixture = Fixture::new();
    let run = fixture.run();
    let steps = [fixture.step(run, 0), fixture.step(run, 1), fixture.step(run, 2)];
    let unknown = StepId(99);
    let refused = fixture.ledger.finish_steps(&[steps[0], unknown], &StepEnd::done()).unwrap_err();
    assert_eq!(refused.code.name, "ledger-broken");
    assert_eq!(fixture.state(run, steps[0]), StepState::Started, "half of a batch was written");

    // One fails, and those before it are undone with it.
    let batch = fixture.ledger.write(|batch| {
        batch.finish_step(steps[0], &StepEnd::rolled_back())?;
        batch.finish_step(steps[1], &StepEnd::failed("division by zero", Some("22012")))?;
        batch.finish_step(steps[2], &StepEnd::cancelled())
    });
    batch.unwrap();
    let states = steps.map(|step| fixture.state(run, step));
    assert_eq!(states, [StepState::RolledBack, StepState::Failed, StepState::Cancelled]);
    fixture.assert_whole();
}

#[test]
fn a_batch_whose_work_fails_leaves_nothing() {
    let mut fixture = Fixture::new();
    let run = fixture.run();
    let before = fixture.ledger.verify().unwrap();
    let outcome = fixture.ledger.write(|batch| {
        batch.record_applied(run, &applied(retention("market_data")), None)?;
        batch.finish_run(run, RunOutcome::Done, &BTreeMap::new())?;
        Err::<(), _>(Diagnostic::error(&code::INTERRUPTED, "stopped"))
    });
    assert_eq!(outcome.unwrap_err().code.name, "interrupted");
    assert_eq!(fixture.ledger.verify().unwrap(), before);
}

#[test]
fn what_cannot_follow_is_refused() {
    let mut fixture = Fixture::new();
    let run = fixture.run();
    let step_id = fixture.step(run, 0);
    fixture.ledger.finish_step(step_id, &StepEnd::done()).unwrap();
    let before = fixture.ledger.verify().unwrap();
    let address = retention("market_data");
    let none = BTreeMap::new();
    let mut outcomes = vec![
        fixture.ledger.finish_step(step_id, &StepEnd::done()).unwrap_err(),
        fixture.ledger.settle(step_id, true, "").unwrap_err(),
        fixture.ledger.start_step(RunId(9), &step(&address, 0)).unwrap_err(),
        fixture.ledger.finish_run(RunId(9), RunOutcome::Done, &none).unwrap_err(),
        fixture.ledger.record_applied(RunId(9), &applied(address.clone()), None).unwrap_err(),
        fixture.ledger.begin_run(DatabaseId(9), apply()).unwrap_err(),
        fixture.ledger.begin_run(DatabaseId::UNKNOWN, apply()).unwrap_err(),
    ];
    assert_eq!(fixture.ledger.verify().unwrap(), before);
    fixture.ledger.finish_run(run, RunOutcome::Done, &none).unwrap();
    outcomes.push(fixture.ledger.start_step(run, &step(&address, 0)).unwrap_err());
    outcomes.push(fixture.ledger.record_applied(run, &applied(address), None).unwrap_err());
    outcomes.push(fixture.ledger.finish_run(run, RunOutcome::Done, &none).unwrap_err());
    for outcome in outcomes {
        assert_eq!(outcome.code.name, "ledger-broken", "{outcome:?}");
    }
}

#[test]
fn an_attribute_that_has_no_single_spelling_is_refused() {
    let mut fixture = Fixture::new();
    let run = fixture.run();
    let mut resource = applied(retention("market_data"));
    resource.attributes.insert("fillfactor".to_owned(), json!(0.1));
    assert_eq!(fixture.ledger.record_applied(run, &resource, None).unwrap_err().code.name, "internal");
}

#[test]
fn the_log_is_newest_first_and_of_one_database_where_asked() {
    let mut fixture = Fixture::new();
    let (market, first) = (fixture.database(), fixture.run());
    let other = fixture.ledger.database(&server("other", 5), &Admission::Any).unwrap();
    let second = fixture.ledger.begin_run(other, apply()).unwrap();
    let third = fixture.run();
    let ids = |limit, database| -> Vec<RunId> {
        fixture.ledger.log(limit, database).unwrap().iter().map(|run| run.id).collect()
    };
    assert_eq!(ids(10, None), [third, second, first]);
    assert_eq!(ids(2, None), [third, second]);
    assert_eq!(ids(10, Some(market)), [third, first]);
    assert_eq!(ids(usize::MAX, Some(other)), [second]);
    assert!(ids(0, None).is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn an_unfinished_run_whose_process_is_gone_shows_as_crashed() {
    let mut fixture = Fixture::new();
    let database = fixture.database();
    let here = RunStart { who: Who::here(), ..apply() };
    let gone = RunStart { who: Who { pid: u32::MAX, ..Who::here() }, ..apply() };
    let (here, gone) =
        (fixture.ledger.begin_run(database, here).unwrap(), fixture.ledger.begin_run(database, gone).unwrap());
    assert_eq!(fixture.ledger.run(here).unwrap().unwrap().state, RunState::Unfinished);
    assert_eq!(fixture.ledger.run(gone).unwrap().unwrap().state, RunState::Crashed);
}

#[test]
fn what_a_run_changed_is_found_by_an_index() {
    let fixture = eventful();
    let plan: String = fixture
        .ledger
        .conn
        .query_row(
            "EXPLAIN QUERY PLAN SELECT seq FROM audit
              WHERE event IN ('resource-applied', 'resource-forgotten') AND json_extract(payload, '$.run') = 1
              ORDER BY seq",
            [],
            |row| row.get(3),
        )
        .unwrap();
    assert!(plan.contains("audit_resources"), "{plan}");
    let changes = fixture.ledger.show(RunId(1)).unwrap().unwrap().resources;
    let told: Vec<_> = changes.iter().map(|change| (change.address.name.as_str(), change.change)).collect();
    let expected = [
        ("market_data", Memory::Applied),
        ("timescaledb", Memory::Applied),
        ("trades", Memory::Applied),
        ("trades", Memory::Forgotten),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_was_moved_keeps_its_history() {
    let mut fixture = Fixture::new();
    let database = fixture.database();
    let run = fixture.run();
    let adopted = Applied { adopted: true, ..applied(retention("old")) };
    fixture.ledger.write(|batch| batch.record_applied(run, &adopted, Some(&place()))).unwrap();
    let before = fixture.ledger.resources(database).unwrap().remove(0);
    let on = QualifiedName::new("app", "new");
    let (old, new) = (retention("old"), retention("new"));
    fixture.ledger.write(|batch| batch.record_moved(run, &old, &new, Some(&on))).unwrap();
    let after = fixture.ledger.resources(database).unwrap();
    let [after] = after.as_slice() else { panic!("{after:?}") };
    assert_eq!((&after.address, after.on.as_ref()), (&new, Some(&on)));
    assert_eq!((after.origin, &after.attributes), (Origin::Adopted, &before.attributes));
    assert_eq!(after.policy, before.policy);
    let told = fixture.ledger.show(run).unwrap().unwrap().resources;
    assert_eq!(told.last().unwrap().moved_from.as_deref(), Some("retention.public.old"));
    // Moved again, it is under neither name twice.
    fixture.ledger.write(|batch| batch.record_moved(run, &old, &new, Some(&on))).unwrap();
    assert_eq!(fixture.ledger.resources(database).unwrap().len(), 1);
    fixture.assert_whole();
}

#[test]
fn what_a_run_began_and_did_not_end_is_told_until_it_is_recorded() {
    let mut fixture = Fixture::new();
    let database = fixture.database();
    let (table, index, job) = (retention("market_data"), retention("index"), retention("job"));
    let first = fixture.run();
    for address in [&table, &index, &job, &retention("untouched")] {
        fixture.ledger.write(|batch| batch.record_applied(first, &applied(address.clone()), None)).unwrap();
    }
    fixture.ledger.finish_run(first, RunOutcome::Done, &BTreeMap::new()).unwrap();
    assert_eq!(fixture.ledger.begun(database).unwrap(), BTreeMap::new());

    let second = fixture.run();
    let taken =
        |address: &Address, paused, away| crate::core::Taken { address: address.clone(), paused, away, within: false };
    let along = [taken(&index, false, false), taken(&job, true, true)];
    let anew = StepStart { op: Op::Replace, along: &along, ..step(&table, 0) };
    let replaced = fixture.ledger.start_step(second, &anew).unwrap();
    let told = |fixture: &Fixture| -> Vec<(Address, RunId, (bool, bool))> {
        let begun = fixture.ledger.begun(database).unwrap();
        begun.into_iter().map(|(address, begun)| (address, begun.run, (begun.paused, begun.away))).collect()
    };
    let (there, away) = ((false, false), (true, true));
    let all = vec![(index.clone(), second, there), (job.clone(), second, away), (table.clone(), second, there)];
    assert_eq!(told(&fixture), all, "sent, and nothing is known of it");
    fixture.ledger.finish_step(replaced, &StepEnd::done()).unwrap();
    fixture.ledger.write(|batch| batch.record_applied(second, &applied(index.clone()), None)).unwrap();
    fixture.ledger.finish_run(second, RunOutcome::Crashed, &BTreeMap::new()).unwrap();
    let rest = vec![(job.clone(), second, away), (table.clone(), second, there)];
    assert_eq!(told(&fixture), rest, "but for what it made again");
    // Another run that is cut off while it makes the job again knows nothing of the pause.
    let cut = fixture.run();
    fixture.ledger.start_step(cut, &step(&job, 0)).unwrap();
    fixture.ledger.finish_run(cut, RunOutcome::Crashed, &BTreeMap::new()).unwrap();
    assert_eq!(told(&fixture), [(job.clone(), cut, away), (table.clone(), second, there)]);
    let remembered = fixture.ledger.applied(database).unwrap();
    let begun = |address: &Address| remembered.get(address).unwrap().begun.map(|begun| (begun.run, begun.paused));
    assert_eq!((begun(&job), begun(&retention("untouched"))), (Some((cut.number(), true)), None));

    let third = fixture.run();
    let failed = fixture.ledger.start_step(third, &step(&retention("untouched"), 0)).unwrap();
    fixture.ledger.finish_step(failed, &StepEnd::rolled_back()).unwrap();
    for address in [&table, &job] {
        fixture.ledger.write(|batch| batch.record_applied(third, &applied(address.clone()), None)).unwrap();
    }
    fixture.ledger.finish_run(third, RunOutcome::Failed, &BTreeMap::new()).unwrap();
    assert_eq!(told(&fixture), [], "what was undone began nothing, and what is recorded is ended");
    fixture.assert_whole();
}

#[test]
fn the_last_drift_report_is_the_one_that_counts() {
    let mut fixture = Fixture::new();
    let database = fixture.database();
    assert_eq!(fixture.ledger.last_drift(database).unwrap(), None);
    let observed = |name: &str, fingerprint: &str| Observed {
        address: retention(name),
        status: "drifted".to_owned(),
        fingerprint: fingerprint.to_owned(),
    };
    let first = [observed("a", "1"), observed("b", "2")];
    fixture.ledger.write(|batch| batch.record_drift(database, &first)).unwrap();
    fixture.ledger.write(|batch| batch.record_drift(database, &[observed("b", "3")])).unwrap();
    let last = fixture.ledger.last_drift(database).unwrap().unwrap();
    assert_eq!(last.differences, BTreeMap::from([(retention("b"), "3".to_owned())]));
    let other = fixture.ledger.database(&server("other", 7), &Admission::Any).unwrap();
    assert_eq!(fixture.ledger.last_drift(other).unwrap(), None);
    fixture.assert_whole();
}
